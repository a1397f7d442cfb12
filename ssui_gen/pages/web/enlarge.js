// Pictures as large as the window: opened by a click or by +, then larger by wheel, keys and buttons, and moved.
//
// Shared by pages: what is in a `.frame` is enlarged; `make` comes from words.js. A click on a `button.shot`
// opens what it holds, so that the Tab key reaches it and the focus is back there afterwards.

const MOST_ZOOM = 12;
const STEP_ZOOM = 1.25;
const STEP_MOVE = 60; // pixels of an arrow key

class Enlarger {
  constructor() {
    this.image = make("img", { alt: "", draggable: "false" });
    this.words = make("p", { role: "status" });
    const button = (text, label, does) =>
      make("button", { type: "button", text, "aria-label": label, onclick: does });
    const turns = [
      button("‹", "Previous picture", () => this.turn(-1)),
      button("›", "Next picture", () => this.turn(1)),
    ];
    this.turns = turns;
    this.stage = make("div", { class: "stage" }); // the picture is in the page only while it is shown
    this.dialog = make(
      "dialog",
      { id: "large", "aria-label": "The picture, enlarged" },
      this.stage,
      make(
        "div",
        { class: "bar-of-tools" },
        this.words,
        ...turns,
        button("−", "Smaller", () => this.zoom(1 / STEP_ZOOM)),
        button("+", "Larger", () => this.zoom(STEP_ZOOM)),
        make("button", { type: "button", text: "Close", autofocus: true, onclick: () => this.dialog.close() }),
      ),
    );
    document.body.append(this.dialog);
    document.addEventListener("click", (event) => this.clicked(event));
    addEventListener("keydown", (event) => this.asked(event));
    this.dialog.addEventListener("keydown", (event) => this.press(event));
    this.dialog.addEventListener("close", () => this.image.remove());
    this.stage.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.stage.addEventListener("pointerdown", (event) => this.drag(event));
    this.stage.addEventListener("dblclick", (event) =>
      this.scale > 1 ? this.fit() : this.zoom(3, this.from(event)),
    );
  }

  /** Those that are on the screen now, in their order. */
  pictures() {
    return [...document.querySelectorAll(".frame img[src]")].filter((one) => one.getClientRects().length);
  }

  clicked(event) {
    const image = event.target.closest(".frame img[src], .frame button.shot");
    if (image) this.open(image.matches("img") ? image : image.querySelector("img[src]"));
  }

  asked(event) {
    if (event.key !== "+" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (document.querySelector("dialog[open]") || event.target.closest("input, textarea, select")) return;
    if (document.getElementById("shortcuts")?.checked === false) return;
    const inSight = (one) => one.getBoundingClientRect().bottom > 0;
    const image = this.pictures().find(inSight) ?? this.pictures()[0];
    if (!image) return;
    event.preventDefault();
    this.open(image);
  }

  open(image) {
    if (!image) return;
    this.at = image;
    this.image.src = image.src;
    this.image.alt = image.alt;
    this.stage.replaceChildren(this.image);
    const all = this.pictures();
    const place = all.length > 1 ? `Picture ${all.indexOf(image) + 1} of ${all.length}. ` : "";
    this.words.textContent = `${place}Wheel, + and − size it, arrows move it, 0 fits it, Escape closes.`;
    for (const one of this.turns) one.hidden = all.length < 2;
    this.fit();
    if (!this.dialog.open) this.dialog.showModal();
  }

  turn(by) {
    const all = this.pictures();
    const next = all[all.indexOf(this.at) + by];
    if (next) this.open(next);
  }

  fit() {
    [this.scale, this.x, this.y] = [1, 0, 0];
    this.place();
  }

  /** Where a pointer is, from the middle of the stage. */
  from(event) {
    const { left, top, width, height } = this.stage.getBoundingClientRect();
    return [event.clientX - left - width / 2, event.clientY - top - height / 2];
  }

  /** What lies at `x`, `y`, from the middle, stays there. */
  zoom(by, [x, y] = [0, 0]) {
    const scale = Math.min(MOST_ZOOM, Math.max(1, this.scale * by));
    const grown = scale / this.scale;
    [this.x, this.y] = [x - (x - this.x) * grown, y - (y - this.y) * grown];
    this.scale = scale;
    this.move(0, 0);
  }

  /** No further than to the picture's edges. */
  move(x, y) {
    const [wide, high] = [this.stage.clientWidth, this.stage.clientHeight].map(
      (side) => (side * (this.scale - 1)) / 2,
    );
    this.x = Math.min(wide, Math.max(-wide, this.x + x));
    this.y = Math.min(high, Math.max(-high, this.y + y));
    this.place();
  }

  place() {
    this.image.style.transform = `translate(${this.x}px, ${this.y}px) scale(${this.scale})`;
    this.dialog.dataset.scale = this.scale.toFixed(2);
  }

  wheel(event) {
    event.preventDefault();
    if (event.deltaY) this.zoom(event.deltaY < 0 ? STEP_ZOOM : 1 / STEP_ZOOM, this.from(event));
  }

  press(event) {
    const across = { ArrowLeft: 1, ArrowRight: -1 }[event.key];
    const along = { ArrowUp: 1, ArrowDown: -1 }[event.key];
    if (event.key === "+" || event.key === "=") this.zoom(STEP_ZOOM);
    else if (event.key === "-") this.zoom(1 / STEP_ZOOM);
    else if (event.key === "0") this.fit();
    else if (across && this.scale === 1) this.turn(-across);
    else if (across) this.move(across * STEP_MOVE, 0);
    else if (along) this.move(0, along * STEP_MOVE);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  drag(event) {
    event.preventDefault();
    this.stage.setPointerCapture(event.pointerId);
    const moved = (move) => this.move(move.movementX, move.movementY);
    this.stage.addEventListener("pointermove", moved);
    const end = () => this.stage.removeEventListener("pointermove", moved);
    for (const what of ["pointerup", "pointercancel"]) this.stage.addEventListener(what, end, { once: true });
  }
}

const enlarger = new Enlarger();
