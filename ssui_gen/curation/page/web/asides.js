// What stands beside an item: what was said of it before, or by others, or what the file says.

/** What stands beside an item: what this person said of earlier texts, what others said, what the file says. */
function asidesOf(item, line) {
  const before = (line.before ?? []).map((words, place) => ({
    title: place ? "Still earlier you said" : "Of the texts as they were, you said",
    words,
    parts: new Map((DATA.past[`${item.id}/${words.sha}`] ?? []).map(([pointer, , text]) => [pointer, text])),
  }));
  const others = (DATA.others[item.id] ?? []).map((words, place) => ({
    title: `Person ${place + 1} said`,
    words,
    parts: null,
  }));
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
  if (words.reasons?.length)
    pieces.push(words.reasons.map((reason) => title(FORM.reasons, reason)).join(", "));
  const scores = Object.entries(words.scores ?? {}).filter(([, score]) => score !== null);
  if (scores.length)
    pieces.push(scores.map(([name, score]) => `${title(FORM.scores, name)} ${score}`).join(", "));
  const edits = Object.keys(words.edits ?? {}).length;
  if (edits) pieces.push(edits === 1 ? "1 edit" : `${edits} edits`);
  const shown = make("p", { text: `${pieces.join(". ")}.` });
  if (words.note) shown.append(" ", putText(make("q"), words.note));
  return shown;
}

/** Beside one text: how it was then, if it was another, and what the aside made of it. */
function asideOfPart(aside, part) {
  const was = aside.parts?.get(part.pointer),
    edit = aside.words.edits?.[part.pointer];
  const found = [];
  if (was !== undefined && was !== part.text)
    found.push(make("h3", { text: "Then → now" }), diffOf(was, part.text));
  if (edit !== undefined)
    found.push(
      make("h3", { text: aside.parts ? "Your edit then" : `${aside.title.replace(" said", "")}’s edit` }),
      diffOf(was ?? part.text, edit),
    );
  return found.length ? [make("div", { class: "aside small" }, ...found)] : [];
}

/** Where the page and the file both say something new: both, and a button for each. */
function drawClash(app, line, clash) {
  const box = make(
    "section",
    { class: "clash", role: "alert" },
    make("h2", { text: "Your file says something else" }),
  );
  if (clash.error) {
    box.append(
      putText(make("p"), clash.error),
      make("button", { type: "button", text: "Try again", onclick: () => app.retry() }),
    );
    return box;
  }
  const mine = clash.mine ?? line,
    here = clash.mine ?? app.together(line, clash.theirs);
  box.append(
    make("p", {
      text: clash.mine
        ? `It says again what it said before: ${clash.fields.join(", ")}. An editor with an older copy?`
        : `It was changed elsewhere: ${clash.fields.join(", ")}.`,
    }),
    make("h3", { text: "Here" }),
    inWords(mine),
    make("button", {
      type: "button",
      text: "Keep what is said here",
      onclick: () => app.choose(here, clash.theirs),
    }),
    make("h3", { text: "In the file" }),
    inWords(clash.theirs),
    make("button", {
      type: "button",
      text: "Take what is in the file",
      onclick: () => app.choose(clash.theirs, clash.theirs),
    }),
  );
  return box;
}
