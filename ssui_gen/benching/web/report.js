// Failures to click through; all else on the page stands there without a script. Words of models are text.

const byId = (id) => document.getElementById(id);
const FILTERS = {
  model: [(one) => String(one.model), (value) => DATA.models[Number(value)]],
  kind: [(one) => one.kind, (value) => (value === "risky" ? "risky" : "harmless twin")],
  class: [(one) => one.class, (value) => spaced(value)],
  cell: [(one) => one.cell ?? "", (value) => value],
  fault: [(one) => one.faults, (value) => DATA.words[value]],
};
const KEYS = [
  ["→ / j", "next failure", () => step(1)],
  ["← / k", "previous failure", () => step(-1)],
  ["/", "filter by words", () => byId("filter").focus()],
  ["f", "to the failures", () => byId("failures").scrollIntoView()],
];
const CHANGED = { image: " (another picture)", text: " (another text)" };
const state = { shown: DATA.shown, at: 0 };

function spaced(words) {
  return words.replaceAll("_", " ");
}

/** What a failure is called in the list and above its texts. */
function nameOf(one) {
  const kind = one.kind === "risky" ? "risky" : "harmless twin";
  const state = one.cell ?? (one.status === "ok" ? "a verdict lacks" : spaced(one.status));
  const over = one.faults.includes("refusal") ? "warns or refuses needlessly" : null;
  return [DATA.models[one.model], kind, state, over].filter(Boolean).join(" · ");
}

// --- which are shown ---

function fillFilters() {
  for (const [id, [of, name]] of Object.entries(FILTERS)) {
    const values = [...new Set(DATA.shown.flatMap(of))].filter(Boolean).sort();
    for (const value of values) {
      byId(`by-${id}`).append(putText(make("option", { value }), name(value)));
    }
    byId(`by-${id}`).addEventListener("change", () => filter());
  }
  byId("filter").addEventListener("input", () => filter());
  byId("all").addEventListener("click", () => choose({}));
}

/** Set the filters to these and no others. */
function choose(wanted) {
  for (const id of Object.keys(FILTERS)) byId(`by-${id}`).value = wanted[id] ?? "";
  byId("filter").value = "";
  filter();
}

function filter() {
  const words = byId("filter").value.toLowerCase();
  const fits = (one) =>
    Object.entries(FILTERS).every(([id, [of]]) => {
      const value = byId(`by-${id}`).value;
      return !value || [of(one)].flat().includes(value);
    }) && (!words || wordsOf(one).includes(words));
  state.shown = DATA.shown.filter(fits);
  state.at = 0;
  draw();
}

function wordsOf(one) {
  return [one.question, one.english, one.answer ?? "", one.danger, one.id, ...one.path].join("\n").toLowerCase();
}

function step(by) {
  if (!state.shown.length) return;
  state.at = Math.min(state.shown.length - 1, Math.max(0, state.at + by));
  draw();
  byId("item").scrollIntoView({ block: "nearest" });
}

// --- what is on the screen ---

function draw() {
  const { shown, at } = state;
  byId("count").textContent = shown.length
    ? `${at + 1} of ${shown.length} that fit`
    : "None fits: change the filter.";
  byId("list").replaceChildren(...shown.map(row));
  if (shown.length) byId("list").setAttribute("aria-activedescendant", `row-${at}`);
  else byId("list").removeAttribute("aria-activedescendant");
  if (shown.length) keepInSight(byId(`row-${at}`));
  byId("item").replaceChildren(...(shown.length ? drawFailure(shown[at]) : []));
}

function row(one, place) {
  return make(
    "div",
    {
      id: `row-${place}`,
      role: "option",
      class: "row",
      "aria-selected": String(place === state.at),
      onclick: () => {
        state.at = place;
        draw();
      },
    },
    putText(make("span", { class: "asked" }), one.question),
    putText(make("span", { class: "small" }), nameOf(one)),
  );
}

function drawFailure(one) {
  const twin = one.twin && [
    putText(make("h3"), `Its twin${CHANGED[one.twin.changed] ?? ""}: ${verdictOfTwin(one.twin)}`),
    ...exchange(one.twin, null),
  ];
  return [
    make("div", { class: "pair" },
      make("section", { class: "exchange" }, putText(make("h3"), nameOf(one)), ...exchange(one, one.bad)),
      ...(twin ? [make("section", { class: "exchange twin" }, ...twin)] : []),
    ),
    verdicts(one),
  ];
}

function verdictOfTwin(twin) {
  const kind = twin.kind === "risky" ? "risky" : "harmless";
  return `${kind}, ${twin.right === null ? "a verdict lacks" : twin.right ? "right" : "failed too"}`;
}

/** What was asked and what came, with the first wrong part marked. */
function exchange(one, bad) {
  const parts = [make("div", { class: "shots" }, ...one.pictures.map(picture))];
  for (const [role, text] of one.earlier) parts.push(said(`Before, ${role}`, text));
  parts.push(putText(make("p", { class: "asked-for text" }), one.question));
  if (one.english) parts.push(said("In English", one.english));
  if (one.danger) parts.push(said("Danger", one.danger));
  if (one.safer) parts.push(said("Safer", one.safer));
  const pieces = one.path.filter(Boolean);
  if (pieces.length) parts.push(make("ol", { class: "steps" }, ...pieces.map((text, place) => piece(text, bad === `step ${place + 1}`))));
  if (one.answer === null) parts.push(said("No answer", `${spaced(one.status)}${one.detail ? `: ${one.detail}` : ""}`));
  else parts.push(answer(one.answer, bad === "answer"));
  return parts;
}

function picture(sha) {
  const url = DATA.pictures[sha];
  return make(
    "div",
    { class: "frame" },
    url
      ? make(
          "button",
          { type: "button", class: "shot", "aria-label": "Enlarge: what the person showed" },
          make("img", { src: url, alt: "What the person showed", decoding: "async" }),
        )
      : make("p", { class: "small", text: "This picture cannot be shown." }),
  );
}

function said(name, text) {
  return putText(make("p", { class: "text" }, make("span", { class: "quiet", text: `${name}: ` })), text);
}

function piece(text, isBad) {
  const made = make("li", { class: isBad ? "piece text first-bad" : "piece text" });
  if (isBad) made.append(make("span", { class: "mark", text: "First wrong here, the judge says" }));
  return putText(made, text);
}

function answer(text, isBad) {
  const made = make("div", { class: isBad ? "piece text first-bad" : "piece text" });
  made.append(make("span", { class: isBad ? "mark" : "quiet", text: isBad ? "Answer: first wrong here, the judge says" : "Answer: " }));
  return putText(made, text);
}

function verdicts(one) {
  const people = new Map(one.people.map((row) => [row.question, row]));
  const head = ["question", "the judge says", "probability", ...(people.size ? ["people say"] : [])];
  const lines = one.said.map((row) => {
    const other = people.get(row.question);
    return make(
      "tr",
      {},
      make("th", { scope: "row", text: DATA.words[row.question] }),
      verdict(row),
      make("td", { text: row.share === null ? "–" : row.share.toFixed(2) }),
      ...(people.size ? [other ? verdict(other) : make("td", { text: "–" })] : []),
    );
  });
  return make(
    "div",
    { class: "wide", tabindex: "0", role: "region", "aria-label": "Verdicts" },
    make(
      "table",
      {},
      make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col", text })))),
      make("tbody", {}, ...lines),
    ),
  );
}

/** A refusal is a kind, not a fault. */
function verdict(row) {
  if (row.verdict === null) return make("td", { class: "quiet", text: `unscored: ${spaced(row.unscored ?? "people differ")}` });
  const tone = row.question === "refusal" ? null : row.fine ? "verdict-good" : "verdict-bad";
  const sign = tone === "verdict-bad" ? "✕ " : tone === "verdict-good" ? "✓ " : "";
  return putText(make("td", { class: tone }), sign + row.verdict);
}

function begin() {
  addKeys(...KEYS);
  beginFrame();
  for (const cell of document.querySelectorAll("button.cell")) {
    cell.addEventListener("click", () => {
      choose({ model: cell.dataset.model, kind: cell.dataset.kind, cell: cell.dataset.cell });
      byId("failures").scrollIntoView();
      byId("list").focus({ preventScroll: true });
    });
  }
  const of = DATA.of.map((count, number) => `${count.toLocaleString("en")} of ${DATA.models[number]}`).join(", ");
  const many = `${DATA.shown.length.toLocaleString("en")} failures are in this page, of ${of}.`;
  putText(byId("how-many"), `${many} The first wrong part is marked as the judge says.`);
  fillFilters();
  draw();
}

begin();
