// The texts of an item, and how one of them is edited.

/** The texts of an item, each with its edit; `app` is told what the person does. */
function drawTexts(app, item, line) {
  const asides = asidesOf(item, line);
  return item.parts.map(([pointer, title, text]) =>
    drawPart(app, item, line, { pointer, title, text }, asides),
  );
}

function drawPart(app, item, line, part, asides) {
  const edit = line.edits[part.pointer];
  const mayEdit = FORM.edited && part.pointer in DATA.longest;
  const section = make("section", {
    class: "part",
    "data-pointer": part.pointer,
    "aria-current": part.pointer === app.part ? "true" : null,
  });
  section.append(make("h2", { text: part.title }));
  if (app.editing === part.pointer) {
    section.append(...editor(app, item, part, edit ?? part.text));
  } else {
    section.append(
      edit === undefined ? putText(make("p", { class: "text" }), part.text) : diffOf(part.text, edit),
    );
    if (mayEdit) section.append(partButtons(app, part, edit));
    if (mayEdit && app.typed.has(item.id + part.pointer)) section.append(drawTyped(app, item, part));
  }
  for (const aside of asides) section.append(...asideOfPart(aside, part));
  section.addEventListener("click", (event) => {
    if (!event.target.closest("button, textarea")) app.select(part.pointer);
  });
  return section;
}

function partButtons(app, part, edit) {
  const row = make("div", { class: "part-buttons" });
  const name = part.title.toLowerCase();
  row.append(
    make("button", {
      type: "button",
      class: "edit",
      "aria-label": `Edit: ${name}`,
      text: edit === undefined ? "Edit" : "Edit again",
      onclick: () => app.edit(part.pointer),
    }),
  );
  if (edit !== undefined)
    row.append(
      make("button", {
        type: "button",
        "aria-label": `Take the edit out: ${name}`,
        text: "Take the edit out",
        onclick: () => app.unedit(part.pointer),
      }),
    );
  return row;
}

/** A text being edited: Enter, or going elsewhere, keeps it; Escape leaves it as it was. A pasted break is a space. */
function editor(app, item, part, text) {
  const draft = `${item.id}${part.pointer}`;
  const fault = make("p", { class: "fault", role: "alert" });
  const area = make("textarea", {
    id: "editor",
    rows: 3,
    "aria-label": `New text: ${part.title}`,
    spellcheck: "true",
  });
  const preview = make("div", { class: "preview", "aria-hidden": "true" });
  area.value = app.typed.get(draft) ?? text;
  const value = () => oneLine(area.value);
  const look = () => {
    area.style.height = "auto";
    area.style.height = `${area.scrollHeight + 2}px`;
    preview.replaceChildren(diffOf(part.text, value()));
  };
  const leave = () => {
    app.typed.delete(draft);
    app.edit(null);
  };
  const keep = () => {
    if (value() === part.text) {
      app.typed.delete(draft);
      app.unedit(part.pointer);
      return;
    }
    const wrong = editFault(item, part.pointer, value());
    if (wrong) fault.textContent = wrong;
    else app.keepEdit(part.pointer, value());
  };
  area.addEventListener("input", () => {
    app.typed.set(draft, area.value);
    look();
  });
  area.addEventListener("blur", (event) => {
    // what is pressed there does it itself: drawing now would take it away from under the mouse
    if (!event.relatedTarget?.closest?.("#item, #list")) app.finishEdit();
  });
  app.finishing = () => {
    if (value() !== text) keep();
    else app.typed.delete(draft);
  };
  area.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault();
      keep();
    }
    if (event.key === "Escape") {
      event.preventDefault();
      event.stopPropagation();
      leave();
    }
  });
  queueMicrotask(() => {
    area.focus();
    area.setSelectionRange(area.value.length, area.value.length);
    look();
    area.closest(".part").scrollIntoView({ block: "nearest" });
  });
  const buttons = make(
    "div",
    { class: "part-buttons" },
    make("button", { type: "button", class: "main", text: "Keep the edit (Enter)", onclick: keep }),
    make("button", { type: "button", text: "Leave as it was (Esc)", onclick: leave }),
  );
  return [area, preview, fault, buttons];
}
