// The list of items: only the rows in sight are in the page, so that thousands cost what ten cost.

class List {
  constructor(element, pick) {
    this.element = element;
    this.inner = element.appendChild(make("div", { class: "rows", role: "presentation" }));
    this.ids = [];
    this.at = null;
    this.line = () => null;
    element.addEventListener("scroll", () => this.draw(), { passive: true });
    element.addEventListener("mousedown", (event) => {
      const row = event.target.closest("[role=option]");
      if (row) pick(row.dataset.id);
    });
    new ResizeObserver(() => this.draw()).observe(element);
  }

  get height() {
    return 3.75 * parseFloat(getComputedStyle(document.documentElement).fontSize);
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
      state = stateOf(this.line(id));
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
      make("span", { class: "sign", "aria-hidden": "true", text: state.sign }),
      putText(make("span", { class: "asked" }), item.parts[0][2]),
      make("span", {
        class: "small",
        text: `${state.title} · ${item.kind}${item.kind === "risky" ? `, ${item.category}` : ""}`,
      }),
    );
    row.style.transform = `translateY(${place * this.height}px)`;
    return row;
  }
}

const SIGNS = { keep: "✓", good: "✓", done: "✓", fix: "✎", drop: "✕", bad: "✕", unclear: "?" };

/** How far a person is with an item: what it is called, and its sign. */
function stateOf(line) {
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
    : { value: "open", title: "Not looked at", sign: "○" };
}
