// Pictures as large as the window: opened by a click or by +, then larger by wheel and keys, moved by drag.

const MOST_ZOOM = 12;
const STEP_ZOOM = 1.25;
const STEP_MOVE = 60; // pixels of an arrow key
const LARGE_KEYS = "+ − 0 size · arrows move, or at full size the next picture · Esc closes";

class Enlarger {
  constructor() {
    this.image = make("img", { alt: "", draggable: "false" });
    this.words = make("p", { role: "status" });
    this.stage = make("div", { class: "stage" }); // the picture is in the page only while it is shown
    const button = (text, label, does) => make("button", { type: "button", text, "aria-label": label, onclick: does });
    this.dialog = make(
      "dialog",
      { id: "large", "aria-label": "The picture, enlarged" },
      this.stage,
      make(
        "div",
        { class: "bar-of-tools" },
        this.words,
        button("‹", "Previous picture", () => this.turn(-1)),
        button("›", "Next picture", () => this.turn(1)),
        button("−", "Smaller", () => this.zoom(1 / STEP_ZOOM)),
        button("+", "Larger", () => this.zoom(STEP_ZOOM)),
        button("Close", "Close", () => this.dialog.close()),
      ),
    );
    document.body.append(this.dialog);
    document.addEventListener("click", (event) => this.clicked(event));
    addEventListener("keydown", (event) => this.asked(event));
    this.dialog.addEventListener("keydown", (event) => this.press(event));
    this.dialog.addEventListener("close", () => this.image.remove());
    this.dialog.addEventListener("wheel", (event) => this.wheel(event), { passive: false });
    this.image.addEventListener("pointerdown", (event) => this.drag(event));
    this.image.addEventListener("dblclick", () => this.zoom(this.scale > 1 ? 0 : 3));
  }

  /** Those that are on the screen now, in their order. */
  pictures() {
    return [...document.querySelectorAll(".frame img[src]")].filter((one) => one.getClientRects().length);
  }

  clicked(event) {
    const image = event.target.closest(".frame")?.querySelector("img[src]");
    if (image && event.target.closest(".frame img, .frame button.shot")) this.open(image);
  }

  /** + anywhere on a page enlarges the first picture in sight. */
  asked(event) {
    if (event.key !== "+" || event.ctrlKey || event.metaKey || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, textarea, select")) return;
    if (document.getElementById("shortcuts")?.checked === false) return;
    const inSight = (one) => one.getBoundingClientRect().bottom > 0;
    const image = this.pictures().find(inSight);
    if (!image) return;
    event.preventDefault();
    this.open(image);
  }

  open(image) {
    this.at = image;
    this.image.src = image.src;
    this.image.alt = image.alt;
    this.words.textContent = `${image.alt} (${LARGE_KEYS})`;
    this.stage.replaceChildren(this.image);
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

  zoom(by) {
    this.scale = Math.min(MOST_ZOOM, Math.max(1, this.scale * by));
    if (this.scale === 1) [this.x, this.y] = [0, 0];
    this.place();
  }

  move(x, y) {
    const [wide, high] = [innerWidth, innerHeight].map((side) => (side * (this.scale - 1)) / 2);
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
    this.zoom(event.deltaY < 0 ? STEP_ZOOM : 1 / STEP_ZOOM);
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
    this.image.setPointerCapture(event.pointerId);
    const moved = (move) => this.move(move.movementX, move.movementY);
    this.image.addEventListener("pointermove", moved);
    const end = () => this.image.removeEventListener("pointermove", moved);
    this.image.addEventListener("pointerup", end, { once: true });
    this.image.addEventListener("pointercancel", end, { once: true });
  }
}

const enlarger = new Enlarger();
