// Whoever leaves is told in a sentence what is still open, and what becomes of it.

/** How far the person is: what is undecided is left out, and that is said. */
function leaving(app) {
  const open = app.ids.filter((id) => !kept(app.line(id)).decision).length;
  const all = app.ids.length.toLocaleString("en");
  const lacks = notKept(app);
  return [
    open
      ? `${open.toLocaleString("en")} of ${all} items ${open === 1 ? "is" : "are"} undecided: ` +
        `${open === 1 ? "it is" : "they are"} left out of what is made of this review until somebody decides.`
      : `All ${all} items are decided.`,
    ...(lacks ? [`${lacks[0].toUpperCase()}${lacks.slice(1)}: this browser alone has it.`] : []),
  ];
}

class Finish {
  constructor(app) {
    this.app = app;
    this.dialog = app.byId("finish");
    app.byId("finish-button").addEventListener("click", () => this.open());
    app.byId("finish-open").addEventListener("click", () => this.show());
    app.byId("finish-download").addEventListener("click", () => downloadFile(app));
  }

  open() {
    this.app.finishEdit();
    this.app.draw();
    const { store } = this.app;
    const where = DATA.server ? `${store.words}.` : "Download your file, so that it counts.";
    const words = [...leaving(this.app), where];
    this.app.byId("finish-words").replaceChildren(...words.map((text) => make("p", { text })));
    this.app.byId("finish-open").hidden = this.app.ids.every((id) => kept(this.app.line(id)).decision);
    this.dialog.showModal();
  }

  /** The first of those that are open, and only those in the list. */
  show() {
    this.dialog.close();
    this.app.byId("filter").value = "";
    this.app.byId("show").value = "todo";
    this.app.drawAround();
    this.app.step(0);
    this.app.byId("item").focus({ preventScroll: true });
  }
}
