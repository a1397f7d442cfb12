// What each word means that can be chosen: the codebook, from the same text as the document's.

const MEANINGS = new Map(
  DATA.codebook.flatMap((section) => section.entries.map((entry) => [entry.value, entry.meaning])),
);

/** What a word means, in a line for whoever points at it. */
function meaningOf(choice) {
  return MEANINGS.get(choice.value)?.means ?? choice.help;
}

/** What a step of a score stands for, if the codebook says so. */
function anchorOf(choice, step) {
  return MEANINGS.get(choice.value)?.anchors[step] ?? null;
}

/** The steps of a score that are described, as a list; none where its help says all. */
function anchorsOf(choice) {
  const anchors = Object.entries(MEANINGS.get(choice.value)?.anchors ?? {});
  if (!anchors.length) return null;
  const row = ([step, words]) => [make("dt", { text: step }), make("dd", { text: words })];
  return make("dl", { class: "anchors small" }, ...anchors.flatMap(row));
}

/** Opens it; where a group of keys is waited for, at that group. */
class Codebook {
  constructor(app) {
    this.app = app;
    this.dialog = app.byId("codebook");
    app
      .byId("codes")
      .replaceChildren(
        ...DATA.codebook.flatMap((section) => [
          make("h3", { id: `codes-${section.title.toLowerCase()}`, text: section.title }),
          ...section.entries.map((entry) => this.entry(entry)),
        ]),
      );
    app.byId("codebook-button").addEventListener("click", () => this.open());
  }

  entry(entry) {
    const box = make(
      "section",
      { class: "code", "data-value": entry.value },
      make("h4", {}, make("kbd", { text: entry.key }), entry.title),
      make("p", { class: "code-help", text: entry.meaning?.means ?? entry.help }),
    );
    if (entry.steps.length) box.append(make("p", { class: "small", text: entry.steps.join(" · ") }));
    if (!entry.meaning) return box;
    const anchors = anchorsOf(entry);
    if (anchors) box.append(anchors);
    box.append(this.line("Example", entry.meaning.example));
    if (entry.meaning.rather) box.append(this.line("Rather", entry.meaning.rather));
    return box;
  }

  line(name, words) {
    return make("p", { class: "small" }, make("em", { text: `${name}. ` }), words);
  }

  open() {
    const group = this.app.waiting;
    this.dialog.showModal();
    const place =
      group === "reasons" ? this.dialog.querySelector("#codes-reasons") : group && this.boxOf(group);
    if (place) place.scrollIntoView({ block: "start" });
    else this.dialog.scrollTop = 0;
  }

  boxOf(value) {
    return this.dialog.querySelector(`[data-value="${CSS.escape(value)}"]`);
  }
}
