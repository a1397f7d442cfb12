// What each key does. Keys of a group (reasons, a score) count after the key that asks for the group.
//
// A reason's key is none of the page's own (a test compares them for every form): whoever presses keys of the
// page in any order, taking the reasons for closed when they are open, never says a reason.

const PLACES = "123456789abcdefghi"; // the keys of what can be said of a score, in its order

const KEYS = [
  ["j / k", "next, previous item"],
  ["↑ / ↓", "the text above, below"],
  ...FORM.decisions.map((choice) => [choice.key, `${choice.title}: ${choice.help}`]),
  ["0", "take the decision back"],
  ...(FORM.edited ? [["e", "edit the chosen text"]] : []),
  ...(FORM.reasons.length ? [["r", "reasons; then the letter of each, Enter when done"]] : []),
  ...FORM.scores.map((score) => [
    `${score.key}, 1–${Math.min(9, stepsOf(score.value).length)}`,
    `${score.title}: ${score.help}`,
  ]),
  ["n", "note; Escape when done"],
  ["u", "next item not yet decided"],
  ["z", "undo"],
  ["/", "filter"],
  ["+", "enlarge the picture"],
  ["b", "blur the picture"],
  ["g", "the codebook: what each word means"],
  ["?", "this help"],
];

const MOVING = ["j", "k", "ArrowDown", "ArrowUp"]; // a key that is held does these again, and nothing else

const ASIDE = ["g", "?"]; // what is looked up meanwhile does not end the waiting

class Keyboard {
  constructor(app) {
    this.app = app;
    this.plain = {
      j: () => app.step(1),
      k: () => app.step(-1),
      ArrowDown: () => app.stepPart(1),
      ArrowUp: () => app.stepPart(-1),
      0: () => app.undecide(),
      e: () => app.edit(app.part),
      n: () => app.panel.toNote(),
      u: () => app.nextOpen(),
      z: () => app.undo(),
      "/": () => app.byId("filter").focus(),
      b: () => app.byId("blur").click(),
      g: () => app.codebook.open(),
      "?": () => app.byId("help").showModal(),
      ...(FORM.reasons.length && { r: () => app.await("reasons") }),
      ...Object.fromEntries(FORM.decisions.map((choice) => [choice.key, () => app.decide(choice.value)])),
      ...Object.fromEntries(FORM.scores.map((score) => [score.key, () => app.await(score.value)])),
    };
    addEventListener("keydown", (event) => this.press(event));
    const shown = ([key, does]) => [make("dt", {}, make("kbd", { text: key })), make("dd", { text: does })];
    app.byId("keys").replaceChildren(...KEYS.flatMap(shown));
  }

  press(event) {
    const held = event.ctrlKey || event.metaKey || event.altKey;
    if (held || !this.app.settings.on("shortcuts") || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, textarea, select") || this.isButtons(event)) return;
    if (event.repeat && !MOVING.includes(event.key)) return;
    if (this.ofGroup(event.key) || this.act(this.plain[event.key])) event.preventDefault();
  }

  /** A button that has the focus is pressed with these keys, unless Enter ends the choice of reasons. */
  isButtons(event) {
    const onButton = event.target.closest("button, summary, label") && [" ", "Enter"].includes(event.key);
    return onButton && this.app.waiting !== "reasons";
  }

  act(does) {
    does?.();
    return Boolean(does);
  }

  /** A key of the group that is waited for; whatever else is pressed ends the waiting. */
  ofGroup(key) {
    const group = this.app.waiting;
    if (!group) return false;
    if (group === "reasons") {
      const reason = FORM.reasons.find((choice) => choice.key === key);
      if (reason) return this.act(() => this.app.toggle(reason.value));
      if (key === "Enter") return this.act(() => this.app.reasonsDone());
    } else {
      const step = stepsOf(group, this.app.item)[PLACES.indexOf(key)];
      if (step) return this.act(() => this.app.score(group, step));
    }
    if (ASIDE.includes(key)) return false;
    this.app.await(null);
    return key === "Escape";
  }
}
