// What a person prefers, remembered on this computer; and the clock, which runs only where they ask for it.

const BOXES = ["blur", "onward", "shortcuts", "timed"];
const MOST_IDLE = 60; // seconds without a touch that still count

class Settings {
  constructor(clock) {
    this.clock = clock;
    for (const id of BOXES) this.take(id);
    this.box("theme").addEventListener("click", turnTheme);
    showTheme();
    this.apply();
  }

  box(id) {
    return document.getElementById(id);
  }
  on(id) {
    return this.box(id).checked;
  }

  take(id) {
    const box = this.box(id),
      key = `ssui/setting/${id}`;
    box.checked = (remembered(key) ?? String(box.defaultChecked)) === "true";
    box.addEventListener("change", () => {
      remember(key, String(box.checked));
      this.apply();
    });
  }

  apply() {
    document.documentElement.classList.toggle("blurred", this.on("blur"));
    this.clock.turn(this.on("timed"));
  }
}

/** Seconds for which an item was looked at: the page in sight, and touched now and then. */
class Clock {
  constructor() {
    this.running = false;
    this.restart();
    const touch = () => {
      this.touched = performance.now();
    };
    for (const what of ["pointerdown", "keydown", "scroll"]) {
      addEventListener(what, touch, { capture: true, passive: true });
    }
  }

  turn(on) {
    this.running = on;
    this.restart();
  }

  restart() {
    this.since = this.touched = performance.now();
  }

  /** Whole seconds since the last call. */
  read() {
    const end = Math.min(performance.now(), this.touched + MOST_IDLE * 1000);
    const seconds = this.running ? Math.round((end - this.since) / 1000) : 0;
    this.restart();
    return Math.max(0, seconds);
  }
}
