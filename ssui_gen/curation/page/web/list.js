// The list of items: only the rows in sight are in the page, so that thousands cost what ten cost.

const ROW = 4.5; // rem, as in page.css
const MOST_SHOTS = 300; // small pictures that are kept, so that a row that is drawn again need not load its own
const LONG_SHARED = 24; // characters with which questions begin alike before they are cut inside a sentence

class List {
  constructor(element, pick) {
    this.element = element;
    this.inner = element.appendChild(make("div", { class: "rows", role: "presentation" }));
    this.ids = [];
    this.at = null;
    this.stateOf = () => null;
    this.titles = new Map();
    this.shots = new Map();
    element.addEventListener("scroll", () => this.draw(), { passive: true });
    element.addEventListener("mousedown", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) pick(row.dataset.id);
    });
    new ResizeObserver(() => this.draw()).observe(element);
  }

  /** What each of these is called: its question, without the beginning that it shares with others. */
  title(ids) {
    this.titles = distinct(new Map(ids.map((id) => [id, ITEMS.get(id).parts[0][2]])));
    this.numbers = new Map(ids.map((id, place) => [id, place + 1]));
  }

  get height() {
    return ROW * parseFloat(getComputedStyle(document.documentElement).fontSize);
  }

  show(ids, at) {
    this.ids = ids;
    this.places = new Map(ids.map((id, place) => [id, place]));
    this.at = at;
    this.inner.style.height = `${ids.length * this.height}px`;
    const place = this.places.get(at);
    const top = (place ?? 0) * this.height,
      bottom = top + this.height;
    const { scrollTop, clientHeight } = this.element;
    if (place !== undefined && (top < scrollTop || bottom > scrollTop + clientHeight)) {
      this.element.scrollTop = Math.max(0, top - clientHeight / 3);
    }
    this.draw();
  }

  draw() {
    const lowest = Math.max(0, this.ids.length * this.height - this.element.clientHeight);
    const first = Math.max(0, Math.floor(Math.min(this.element.scrollTop, lowest) / this.height) - 4);
    const last = Math.min(this.ids.length, first + Math.ceil(this.element.clientHeight / this.height) + 9);
    const rows = [];
    for (let place = first; place < last; place++) rows.push(this.row(place));
    this.inner.replaceChildren(...rows);
    if (this.places?.has(this.at))
      this.element.setAttribute("aria-activedescendant", `row-${this.places.get(this.at)}`);
    else this.element.removeAttribute("aria-activedescendant");
  }

  row(place) {
    const id = this.ids[place],
      item = ITEMS.get(id),
      state = this.stateOf(id);
    const row = make(
      "div",
      {
        id: `row-${place}`,
        role: "option",
        class: "row",
        "data-id": id,
        "data-state": state.value,
        "aria-selected": String(id === this.at),
        "aria-setsize": this.ids.length,
        "aria-posinset": place + 1,
      },
      this.shot(id, item),
      putText(make("span", { class: "asked" }), this.titles.get(id)),
      make(
        "span",
        { class: "small" },
        make("span", { class: "sign", "aria-hidden": "true", text: `${state.sign} ` }),
        `${this.numbers.get(id)} · ${state.title} · ${item.kind === "risky" ? item.category : item.kind}`,
      ),
    );
    row.style.transform = `translateY(${place * this.height}px)`;
    return row;
  }

  /** The item's first picture, small; kept while it may be seen again soon. */
  shot(id, item) {
    const known = this.shots.get(id);
    if (known) return known;
    const src = item.pictures.map(([sha]) => DATA.thumbs[sha]).find(Boolean);
    const shot = src
      ? make("img", { class: "thumb", alt: "", src, loading: "lazy", decoding: "async" })
      : make("span", { class: "thumb" });
    if (this.shots.size >= MOST_SHOTS) this.shots.delete(this.shots.keys().next().value);
    this.shots.set(id, shot);
    return shot;
  }
}

/** Texts without the beginning that they share with another: `… which of these may I eat?` tells more. */
function distinct(texts) {
  const sorted = [...new Set(texts.values())].sort().map((text) => text.split(/\s+/u));
  const shared = sorted.map((words, place) => (place ? sharing(words, sorted[place - 1]) : 0));
  const titles = new Map(
    sorted.map((words, place) => {
      const from = cutAt(words, Math.max(shared[place], shared[place + 1] ?? 0));
      return [words.join(" "), `${from ? "… " : ""}${words.slice(from).join(" ")}`];
    }),
  );
  return new Map([...texts].map(([id, text]) => [id, titles.get(text.split(/\s+/u).join(" "))]));
}

/** With how many words two texts begin alike; what follows is never nothing. */
function sharing(a, b) {
  const differs = a.findIndex((word, place) => word !== b[place]);
  return differs < 0 ? a.length - 1 : differs;
}

/** Where a text goes on after what it shares: at the last comma or end of a sentence in it, if there is one. */
function cutAt(words, shared) {
  const ends = words.slice(0, shared).findLastIndex((word) => /[.,:;!?]$/u.test(word)) + 1;
  return ends || (words.slice(0, shared).join(" ").length > LONG_SHARED ? shared : 0);
}

const SIGNS = { keep: "✓", good: "✓", done: "✓", fix: "✎", drop: "✕", bad: "✕", unclear: "?" };

/**
 * How far a person is with an item: what it is called, and its sign. `typed`: a text waits to be kept;
 * `refused`: the file or the server says something else.
 */
function stateOf(line, typed = false, refused = false) {
  if (refused) return { value: "lacking", title: "Not written", sign: "!" };
  if (typed) return { value: "lacking", title: "Edit not taken", sign: "!" };
  if (line.before?.length && !said(line)) return { value: "again", title: "Look again", sign: "↻" };
  if (line.decision && missing(line)) return { value: "lacking", title: "Something lacks", sign: "!" };
  const place = FORM.decisions.findIndex((choice) => choice.value === line.decision);
  if (place >= 0)
    return {
      value: line.decision,
      title: FORM.decisions[place].title,
      sign: SIGNS[line.decision],
    };
  return said(line)
    ? { value: "begun", title: "Begun", sign: "…" }
    : { value: "open", title: "Undecided", sign: "○" };
}
