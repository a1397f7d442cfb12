// What a person began and what is not in their file yet: texts as they are typed, decisions that lack something.
//
// This browser remembers it until it is kept, or until the person discards it: nobody else has it, so a page
// that is reloaded, or a computer that goes down, would lose it for good.

/** A map that this browser remembers, entry by entry; where it keeps nothing the map holds for now. */
class Remembered extends Map {
  constructor(prefix, fits) {
    super();
    this.prefix = prefix;
    this.fits = fits;
    try {
      const keys = Array.from({ length: localStorage.length }, (_, at) => localStorage.key(at));
      for (const key of keys) this.take(key, localStorage.getItem(key));
    } catch {
      /* for now, then */
    }
    addEventListener("storage", (event) => this.heard(event.key, event.newValue));
  }

  /** What is not ours to read is passed over, and stays in the storage. */
  take(key, text) {
    if (!key?.startsWith(this.prefix)) return;
    try {
      const value = JSON.parse(text);
      if (this.fits(value)) super.set(key.slice(this.prefix.length), value);
    } catch {
      /* not ours */
    }
  }

  /** Another tab has changed something. */
  heard(key, text) {
    if (key?.startsWith(this.prefix) && text === null) super.delete(key.slice(this.prefix.length));
    else this.take(key, text);
  }

  set(key, value) {
    remember(this.prefix + key, JSON.stringify(value));
    return super.set(key, value);
  }

  delete(key) {
    try {
      localStorage.removeItem(this.prefix + key);
    } catch {
      /* nothing was kept */
    }
    return super.delete(key);
  }
}

/** Decisions that lack something, and texts that were typed and are not kept; under the folder's own name. */
function unfinishedOf(name) {
  const place = (what) => `ssui/${DATA.folder}/${FORM.name}.${what}/${name}/`;
  return {
    drafts: new Remembered(place("drafts"), sound),
    typed: new Remembered(place("typed"), (text) => typeof text === "string"),
  };
}

/** A decision that lacks something, on top of what the file says by now; null where somebody has decided. */
function redrafted(draft, line) {
  if (draft.sha !== line.sha || line.decision) return null;
  const chosen = [...line.reasons, ...draft.reasons.filter((reason) => reason === DATA.other)];
  const both = { ...line, decision: draft.decision, reasons: inOrder(chosen) };
  return missing(both) ? both : null;
}

/** The places of an item where a text was typed that is not kept; not the one that is being typed into. */
function typedIn(app, id) {
  if (!app.typed.size) return [];
  const here = id === app.at ? app.editing : null;
  return ITEMS.get(id)
    .parts.map(([pointer]) => pointer)
    .filter((pointer) => pointer !== here && app.typed.has(id + pointer));
}

/** How many edits and decisions are not kept, in words; empty where all is. */
function notKept(app) {
  const edits = app.ids.reduce((sum, id) => sum + typedIn(app, id).length, 0);
  const some = (count, word, more) => (count ? `${count} ${count === 1 ? word : more}` : "");
  const drafts = app.drafts.size;
  return [
    some(drafts, "decision lacks something", "decisions lack something"),
    some(edits, "edit is not taken yet", "edits are not taken yet"),
  ]
    .filter(Boolean)
    .join(", ");
}

/** Beside a text: what was typed for it and is not kept, why, and what can be done about it. */
function drawTyped(app, item, part) {
  const text = oneLine(app.typed.get(item.id + part.pointer));
  return make(
    "section",
    { class: "aside typed", "aria-label": `Not kept: ${part.title}` },
    make("h3", { text: "You typed this, and it is not kept" }),
    diffOf(part.text, text),
    make("p", {
      class: "fault",
      text: editFault(item, part.pointer, text) ?? "The edit was not ended with Enter.",
    }),
    make(
      "div",
      { class: "part-buttons" },
      make("button", {
        type: "button",
        class: "main",
        text: "Go on editing",
        onclick: () => app.edit(part.pointer),
      }),
      make("button", { type: "button", text: "Discard it", onclick: () => app.discard(part.pointer) }),
    ),
  );
}
