// One item: the picture, its texts, what was said of them elsewhere or before, and what is said of them now.

/** The texts of an item, each with its edit; `app` is told what the person does. */
function drawTexts(app, item, line) {
  const asides = asidesOf(item, line);
  return item.parts.map(([pointer, title, text]) => drawPart(app, item, line, { pointer, title, text }, asides));
}

function drawPart(app, item, line, part, asides) {
  const edit = line.edits[part.pointer];
  const mayEdit = FORM.edited && part.pointer in DATA.longest;
  const section = make("section", { class: "part", "data-pointer": part.pointer, "aria-current": part.pointer === app.part ? "true" : null });
  section.append(make("h2", { text: part.title }));
  if (app.editing === part.pointer) {
    section.append(...editor(app, item, part, edit ?? part.text));
  } else {
    section.append(edit === undefined ? putText(make("p", { class: "text" }), part.text) : diffOf(part.text, edit));
    if (mayEdit) section.append(partButtons(app, part, edit));
  }
  for (const aside of asides) section.append(...asideOfPart(aside, part));
  section.addEventListener("click", (event) => { if (!event.target.closest("button, textarea")) app.select(part.pointer); });
  return section;
}

function partButtons(app, part, edit) {
  const row = make("div", { class: "part-buttons" });
  const name = part.title.toLowerCase();
  row.append(make("button", { type: "button", class: "edit", "aria-label": `Edit: ${name}`, text: edit === undefined ? "Edit" : "Edit again", onclick: () => app.edit(part.pointer) }));
  if (edit !== undefined) row.append(make("button", { type: "button", "aria-label": `Take the edit out: ${name}`, text: "Take the edit out", onclick: () => app.unedit(part.pointer) }));
  return row;
}

/** A text being edited: Enter, or going elsewhere, keeps it; Escape leaves it as it was. A pasted break is a space. */
function editor(app, item, part, text) {
  const draft = `${item.id}${part.pointer}`;
  const fault = make("p", { class: "fault", role: "alert" });
  const area = make("textarea", { id: "editor", rows: 3, "aria-label": `New text: ${part.title}`, spellcheck: "true" });
  const preview = make("div", { class: "preview", "aria-hidden": "true" });
  area.value = app.typed.get(draft) ?? text;
  const value = () => oneLine(area.value);
  const look = () => {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
    preview.replaceChildren(diffOf(part.text, value()));
  };
  const leave = () => { app.typed.delete(draft); app.edit(null); };
  const keep = () => {
    if (value() === part.text) { app.typed.delete(draft); app.unedit(part.pointer); return; }
    const wrong = editFault(item, part.pointer, value());
    if (wrong) fault.textContent = wrong;
    else app.keepEdit(part.pointer, value());
  };
  area.addEventListener("input", () => { app.typed.set(draft, area.value); look(); });
  area.addEventListener("blur", (event) => {
    // what is pressed there does it itself: drawing now would take it away from under the mouse
    if (!event.relatedTarget?.closest?.("#item, #list")) app.finishEdit();
  });
  app.finishing = () => { if (value() !== text) keep(); };
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) { event.preventDefault(); keep(); }
    if (event.key === "Escape") { event.preventDefault(); event.stopPropagation(); leave(); }
  });
  queueMicrotask(() => { area.focus(); area.setSelectionRange(area.value.length, area.value.length); look(); area.closest(".part").scrollIntoView({ block: "nearest" }); });
  const buttons = make("div", { class: "part-buttons" },
    make("button", { type: "button", class: "main", text: "Keep the edit (Enter)", onclick: keep }),
    make("button", { type: "button", text: "Leave as it was (Esc)", onclick: leave }));
  return [area, preview, fault, buttons];
}

// --- what was said elsewhere -----------------------------------------------------------------------------

/** What stands beside an item: what this person said of earlier texts, what others said, what the file says. */
function asidesOf(item, line) {
  const before = (line.before ?? []).map((words, place) => ({
    title: place ? "Still earlier you said" : "Of the texts as they were, you said", words,
    parts: new Map((DATA.past[`${item.id}/${words.sha}`] ?? []).map(([pointer, , text]) => [pointer, text])),
  }));
  const others = (DATA.others[item.id] ?? []).map((words, place) => ({ title: `Person ${place + 1} said`, words, parts: null }));
  return [...before, ...others];
}

/** An aside as a whole: its decision, reasons, scores and note, and a button to say the same. */
function drawAside(app, aside) {
  const box = make("section", { class: "aside" }, make("h2", { text: aside.title }), inWords(aside.words));
  box.append(make("button", { type: "button", text: "Say this now", onclick: () => app.sayAgain(aside) }));
  return box;
}

/** Words as a sentence: what was decided, why, how it was scored, the note. */
function inWords(words) {
  const title = (choices, value) => choices.find((choice) => choice.value === value)?.title ?? value;
  const pieces = [words.decision ? title(FORM.decisions, words.decision) : "No decision"];
  if (words.reasons?.length) pieces.push(words.reasons.map((reason) => title(FORM.reasons, reason)).join(", "));
  const scores = Object.entries(words.scores ?? {}).filter(([, score]) => score !== null);
  if (scores.length) pieces.push(scores.map(([name, score]) => `${title(FORM.scores, name)} ${score}`).join(", "));
  const edits = Object.keys(words.edits ?? {}).length;
  if (edits) pieces.push(edits === 1 ? "1 edit" : `${edits} edits`);
  const shown = make("p", { text: `${pieces.join(". ")}.` });
  if (words.note) shown.append(" ", putText(make("q"), words.note));
  return shown;
}

/** Beside one text: how it was then, if it was another, and what the aside made of it. */
function asideOfPart(aside, part) {
  const was = aside.parts?.get(part.pointer), edit = aside.words.edits?.[part.pointer];
  const found = [];
  if (was !== undefined && was !== part.text) found.push(make("h3", { text: "Then → now" }), diffOf(was, part.text));
  if (edit !== undefined) found.push(make("h3", { text: aside.parts ? "Your edit then" : `${aside.title.replace(" said", "")}’s edit` }), diffOf(was ?? part.text, edit));
  return found.length ? [make("div", { class: "aside small" }, ...found)] : [];
}

/** Where the page and the file both say something new: both, and a button for each. */
function drawClash(app, line, clash) {
  const box = make("section", { class: "clash", role: "alert" }, make("h2", { text: "Your file says something else" }));
  if (clash.error) {
    box.append(putText(make("p"), clash.error), make("button", { type: "button", text: "Try again", onclick: () => app.retry() }));
    return box;
  }
  const mine = clash.mine ?? line;
  box.append(make("p", { text: clash.mine ? `It says again what it said before you changed it here: ${clash.fields.join(", ")}. An editor with an older copy?` : `It was changed elsewhere: ${clash.fields.join(", ")}.` }),
    make("h3", { text: "Here" }), inWords(mine),
    make("button", { type: "button", text: "Keep what is said here", onclick: () => app.choose(mine, clash.theirs) }),
    make("h3", { text: "In the file" }), inWords(clash.theirs),
    make("button", { type: "button", text: "Take what is in the file", onclick: () => app.choose(clash.theirs, clash.theirs) }));
  return box;
}

// --- what is said now ------------------------------------------------------------------------------------

/** The decisions, reasons, scores and the note; built once, then only brought up to date. */
class Panel {
  constructor(app) {
    this.app = app;
    this.decisions = new Map(FORM.decisions.map((choice) => [choice.value, make("button", {
      type: "button", class: "decision", "data-value": choice.value, "aria-pressed": "false", title: choice.help, "aria-keyshortcuts": choice.key,
      onclick: () => (app.line().decision === choice.value ? app.undecide() : app.decide(choice.value)),
    }, make("kbd", { text: choice.key }), choice.title)]));
    this.reasons = new Map(FORM.reasons.map((choice) => [choice.value, make("button", {
      type: "button", class: "reason", "data-value": choice.value, "aria-pressed": "false", title: choice.help,
      onclick: () => app.toggle(choice.value),
    }, make("kbd", { text: choice.key }), choice.title)]));
    this.scores = new Map(FORM.scores.map((choice) => [choice.value, this.score(choice)]));
    this.note = make("textarea", { id: "note", rows: 1, maxlength: DATA.longest_note, "aria-label": "Note" });
    this.note.addEventListener("input", () => { this.grow(); app.note(cleanNote(this.note.value)); });
    this.note.addEventListener("keydown", (event) => { if (event.key === "Escape") { event.stopPropagation(); this.note.blur(); } });
    this.fault = make("p", { class: "fault", role: "status" });
    this.element = make("div", { id: "panel" },
      make("div", { class: "decisions", role: "group", "aria-label": "Decision" }, ...this.decisions.values()), this.fault);
    if (FORM.reasons.length) {
      this.picker = make("div", { class: "reasons", role: "group", "aria-label": "Reasons" }, ...this.reasons.values());
      this.element.append(make("h2", {}, make("kbd", { text: "r" }), " Reasons"), this.picker);
    }
    if (FORM.scores.length) this.element.append(make("div", { class: "scores" }, ...[...this.scores.values()].map((score) => score.element)));
    this.element.append(make("h2", {}, make("kbd", { text: "n" }), " Note"), this.note);
  }

  score(choice) {
    const numbers = Array.from({ length: DATA.most }, (_, place) => make("button", {
      type: "button", class: "score", text: String(place + 1), "aria-pressed": "false", "aria-label": `${choice.title} ${place + 1} of ${DATA.most}`,
      onclick: () => this.app.score(choice.value, place + 1),
    }));
    const element = make("div", { class: "scale", role: "group", "aria-label": choice.title, title: choice.help },
      make("span", { class: "scale-name" }, make("kbd", { text: choice.key }), choice.title), ...numbers);
    return { element, numbers };
  }

  /** `waiting`: which group of keys is waited for, `reasons` or the name of a score. */
  show(line, waiting) {
    for (const [value, button] of this.decisions) button.setAttribute("aria-pressed", String(line.decision === value));
    for (const [value, button] of this.reasons) button.setAttribute("aria-pressed", String(line.reasons.includes(value)));
    for (const [name, { element, numbers }] of this.scores) {
      numbers.forEach((button, place) => button.setAttribute("aria-pressed", String(line.scores[name] === place + 1)));
      element.classList.toggle("waiting", waiting === name);
    }
    this.picker?.classList.toggle("waiting", waiting === "reasons");
    if (document.activeElement !== this.note) { this.note.value = line.note; this.grow(); }
    this.fault.textContent = missing(line) ?? "";
  }

  grow() {
    this.note.style.height = "auto";
    this.note.style.height = `${this.note.scrollHeight + 2}px`;
  }
}
