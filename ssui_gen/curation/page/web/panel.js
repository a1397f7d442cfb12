// What is said of an item now: decision, reasons, scores, note.

/** The decisions, reasons, scores and the note; built once, then only brought up to date. */
class Panel {
  constructor(app) {
    this.app = app;
    this.decisions = new Map(
      FORM.decisions.map((choice) => [
        choice.value,
        make(
          "button",
          {
            type: "button",
            class: "decision",
            "data-value": choice.value,
            "aria-pressed": "false",
            title: meaningOf(choice),
            "aria-keyshortcuts": choice.key,
            onclick: () => (app.line().decision === choice.value ? app.undecide() : app.decide(choice.value)),
          },
          make("kbd", { text: choice.key }),
          choice.title,
        ),
      ]),
    );
    this.reasons = new Map(
      FORM.reasons.map((choice) => [
        choice.value,
        make(
          "button",
          {
            type: "button",
            class: "reason",
            "data-value": choice.value,
            "aria-pressed": "false",
            title: meaningOf(choice),
            onclick: () => app.toggle(choice.value),
          },
          make("kbd", { text: choice.key }),
          choice.title,
        ),
      ]),
    );
    this.scores = new Map(FORM.scores.map((choice) => [choice.value, this.score(choice)]));
    this.note = make("textarea", { id: "note", rows: 1, maxlength: DATA.longest_note, "aria-label": "Note" });
    this.note.addEventListener("input", () => {
      this.grow();
      app.note(cleanNote(this.note.value));
    });
    this.note.addEventListener("keydown", (event) => {
      if (event.key === "Escape") {
        event.stopPropagation();
        this.note.blur();
        this.unfold(false);
      }
    });
    this.fault = make("p", { class: "fault", role: "status" });
    this.beyond = make("div", { id: "beyond" });
    this.folded = make("button", {
      type: "button",
      id: "fold",
      "aria-controls": "beyond",
      onclick: () => this.unfold(!this.open),
    });
    const decisions = { class: "decisions", role: "group", "aria-label": "Decision" };
    this.element = make(
      "div",
      { id: "panel" },
      make(
        "div",
        { class: "first-row" },
        make("div", decisions, ...this.decisions.values()),
        this.folded,
      ),
      this.fault,
      this.beyond,
    );
    this.unfold(false);
    if (FORM.reasons.length) {
      this.picker = make(
        "div",
        { class: "reasons", role: "group", "aria-label": "Reasons" },
        ...this.reasons.values(),
      );
      this.beyond.append(make("h2", {}, make("kbd", { text: "r" }), " Reasons"), this.picker);
    }
    if (FORM.scores.length)
      this.beyond.append(
        make("div", { class: "scores" }, ...[...this.scores.values()].map((score) => score.element)),
      );
    this.beyond.append(make("h2", {}, make("kbd", { text: "n" }), " Note"), this.note);
  }

  /** Where there is little room, reasons, scores and note are seen when they are asked for. */
  unfold(open) {
    this.open = open;
    this.element.classList.toggle("open", open);
    this.folded.textContent = open ? "Less" : "More";
    this.folded.setAttribute("aria-expanded", String(open));
  }

  get narrow() {
    return getComputedStyle(this.folded).display !== "none";
  }

  toNote() {
    this.unfold(true);
    this.note.focus();
  }

  score(choice) {
    const steps = stepsOf(choice.value);
    const buttons = new Map(steps.map((step) => [step, this.step(choice, step, steps.length)]));
    const worded = Boolean(choice.steps?.length);
    const element = make(
      "div",
      { class: "scale", role: "group", "aria-label": choice.title, title: meaningOf(choice) },
      make("span", { class: "scale-name" }, make("kbd", { text: choice.key }), choice.title),
      ...buttons.values(),
    );
    element.classList.toggle("worded", worded);
    if (worded) element.append(make("p", { class: "scale-help small", text: choice.help }));
    const anchors = anchorsOf(choice);
    if (anchors) element.append(anchors);
    return { element, buttons };
  }

  step(choice, step, most) {
    const number = Number.isInteger(step);
    return make("button", {
      type: "button",
      class: "score",
      text: String(step),
      title: anchorOf(choice, step),
      "aria-pressed": "false",
      "aria-label": number ? `${choice.title} ${step} of ${most}` : `${choice.title}: ${step}`,
      onclick: () => this.app.score(choice.value, step),
    });
  }

  /** `waiting`: which group of keys is waited for, `reasons` or the name of a score. */
  show(line, waiting) {
    for (const [value, button] of this.decisions)
      button.setAttribute("aria-pressed", String(line.decision === value));
    for (const [value, button] of this.reasons)
      button.setAttribute("aria-pressed", String(line.reasons.includes(value)));
    for (const [name, { element, buttons }] of this.scores) {
      const steps = stepsOf(name, ITEMS.get(line.id));
      element.hidden = !steps.length;
      for (const [step, button] of buttons) {
        button.hidden = !steps.includes(step);
        button.setAttribute("aria-pressed", String(line.scores[name] === step));
      }
      element.classList.toggle("waiting", waiting === name);
    }
    this.picker?.classList.toggle("waiting", waiting === "reasons");
    this.element.classList.toggle("lacks", Boolean(missing(line)));
    if (document.activeElement !== this.note) {
      this.note.value = line.note;
      this.grow();
    }
    this.fault.textContent = missing(line) ?? "";
  }

  grow() {
    this.note.style.height = "auto";
    this.note.style.height = `${this.note.scrollHeight + 2}px`;
  }
}
