// The page: which item is shown, and the way of a person's word from here to where it is kept.

const UNDO = 200; // lines that can be undone

class App {
  constructor() {
    this.byId = (id) => document.getElementById(id);
    this.undone = [];
    this.drafts = new Map();
    this.typed = new Map();
    this.editing = null;
    this.waiting = null;
    this.list = new List(this.byId("list"), (id) => this.pick(id));
    this.panel = new Panel(this);
    this.byId("panel-place").append(this.panel.element);
    this.clock = new Clock();
    this.settings = new Settings(this.clock);
    this.codebook = new Codebook(this);
    this.finish = new Finish(this);
    this.enlarger = enlarger;
    this.keyboard = new Keyboard(this);
    this.controls();
  }

  controls() {
    for (const choice of FORM.decisions) {
      this.byId("show").append(make("option", { value: choice.value, text: choice.title }));
    }
    for (const id of ["filter", "show"]) this.byId(id).addEventListener("input", () => this.drawAround());
    this.byId("filter").addEventListener("keydown", (event) => {
      if (!["Enter", "Escape"].includes(event.key)) return;
      event.preventDefault();
      this.byId("item").focus();
      this.step(0);
    });
    this.byId("back").addEventListener("click", () => this.step(-1));
    this.byId("onwards").addEventListener("click", () => this.step(1));
    this.byId("unfold").addEventListener("click", () => this.unfold(!this.unfolded));
    this.byId("help-button").addEventListener("click", () => this.byId("help").showModal());
    this.byId("download").addEventListener("click", () => downloadFile(this));
    this.byId("open").addEventListener("change", (event) => openFile(this, event.target));
    addEventListener("pagehide", () => this.noteTime());
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) this.noteTime();
      else this.clock.restart();
    });
  }

  // --- who, and what is to be seen ---

  start(name) {
    this.store = DATA.server ? new ServerStore(name) : new BrowserStore(name);
    this.store.onchange = () => this.reload();
    Object.assign(this, unfinishedOf(name));
    const share = Object.hasOwn(DATA.shares, name) ? DATA.shares[name] : null;
    this.ids = DATA.items.map((item) => item.id).filter((id) => !share || share.includes(id));
    this.list.stateOf = (id) =>
      stateOf(this.line(id), typedIn(this, id).length > 0, this.store.clashes.has(id));
    this.list.title(this.ids);
    this.byId("order").hidden = !this.ids.some((id) => ITEMS.get(id).why.length);
    this.byId("name").textContent = name;
    this.reload(false);
    const left = this.ids.find((id) => typedIn(this, id).length || this.drafts.has(id));
    this.go(left ?? this.ids.find((id) => !this.line(id).decision) ?? this.ids[0]);
    if (left) this.tell(`From before, and not in your file yet: ${notKept(this)}.`);
  }

  reload(draw = true) {
    const there = this.store.load();
    this.lines = new Map(
      this.ids.map((id) => [id, refreshed(this.whole(there.get(id), ITEMS.get(id)), ITEMS.get(id))]),
    );
    for (const [id, draft] of this.drafts) {
      const again = this.lines.has(id) ? redrafted(draft, this.line(id)) : draft;
      if (!again) this.drafts.delete(id);
      else if (this.lines.has(id)) this.lines.set(id, again);
    }
    this.gone = [...there.values()].filter((line) => !this.lines.has(line.id) && (said(line) || line.before));
    if (draw) this.draw();
  }

  whole(line, item) {
    return line
      ? { ...blank(item), ...line, scores: { ...blank(item).scores, ...line.scores } }
      : blank(item);
  }

  line(id = this.at) {
    return this.lines.get(id);
  }
  get item() {
    return ITEMS.get(this.at);
  }

  filtered() {
    const words = this.byId("filter").value.toLowerCase().split(/\s+/u).filter(Boolean),
      show = this.byId("show").value;
    return this.ids.filter((id) => {
      const item = ITEMS.get(id),
        state = this.list.stateOf(id).value;
      if (show === "todo" && this.line(id).decision && state !== "lacking") return false;
      if (show !== "all" && show !== "todo" && state !== show) return false;
      return words.every((word) => item.search.includes(word));
    });
  }

  // --- going ---

  /** From the list, which then makes room where there is little. */
  pick(id) {
    this.go(id);
    this.unfold(false);
  }

  /** Whether the list is seen where there is no room for it beside the item. */
  unfold(open) {
    this.unfolded = open;
    this.byId("items").classList.toggle("open", open);
    this.byId("unfold").setAttribute("aria-expanded", String(open));
    if (open) this.drawAround();
  }

  go(id) {
    if (!id || id === this.at) return;
    this.finishEdit();
    this.noteTime();
    this.at = id;
    this.part = this.item.parts[0][0];
    this.editing = this.waiting = null;
    this.draw(true);
    this.byId("item").scrollTop = 0;
    if (this.panel.narrow) this.byId("items").scrollIntoView({ block: "start" });
  }

  step(by) {
    const ids = this.filtered(),
      at = ids.indexOf(this.at);
    this.go(ids[at < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, at + by))]);
  }

  nextOpen() {
    const ids = this.filtered(),
      at = ids.indexOf(this.at);
    const next = [...ids.slice(at + 1), ...ids.slice(0, at + 1)].find((id) => !kept(this.line(id)).decision);
    if (next && next !== this.at) this.go(next);
    else this.tell("Every item here is decided.");
  }

  select(pointer) {
    if (this.editing !== pointer) this.finishEdit();
    this.part = pointer;
    this.draw();
    document.querySelector("[aria-current=true]")?.scrollIntoView({ block: "nearest" });
  }

  stepPart(by) {
    const pointers = this.item.parts.map(([pointer]) => pointer);
    this.select(pointers[Math.min(pointers.length - 1, Math.max(0, pointers.indexOf(this.part) + by))]);
  }

  // --- saying ---

  /** Say something new of this item. */
  say(words, { quiet = false } = {}) {
    const before = this.line();
    this.byId("said").replaceChildren();
    this.undone = [...this.undone.slice(-UNDO), before];
    this.put({ ...before, ...words });
    if (!quiet) this.draw();
  }

  /** What does not count yet is shown here all the same, until it does. */
  put(line) {
    const counts = kept(line);
    this.lines.set(line.id, line);
    if (counts === line) this.drafts.delete(line.id);
    else this.drafts.set(line.id, line);
    this.store.save(counts);
  }

  /** The same decision again changes nothing, so that nobody takes one back by pressing twice. */
  decide(value) {
    const line = this.line();
    this.waiting = null;
    if (line.decision === value) {
      if (value === FORM.explained && !line.reasons.length) this.await("reasons");
      else this.draw();
      return;
    }
    this.say({ decision: value });
    if (value === FORM.edited && !Object.keys(line.edits).length)
      this.edit(this.part in DATA.longest ? this.part : null);
    else if (value === FORM.explained && !line.reasons.length) this.await("reasons");
    else if (this.settings.on("onward") && !missing(this.line())) this.nextOpen();
  }

  undecide() {
    this.waiting = null;
    if (this.line().decision) this.say({ decision: null });
  }

  toggle(reason) {
    const there = this.line().reasons;
    const chosen = there.includes(reason) ? there.filter((one) => one !== reason) : [...there, reason];
    this.say({ reasons: inOrder(chosen) });
    const { title } = FORM.reasons.find((choice) => choice.value === reason);
    this.tell(chosen.includes(reason) ? `Reason: ${title}.` : `No reason any more: ${title}.`);
  }

  /** Where every score is to be given, the next one without a word is waited for. */
  score(name, step) {
    const scores = this.line().scores;
    this.waiting = null;
    this.say({ scores: { ...scores, [name]: scores[name] === step ? null : step } });
    const next = FORM.answered && unanswered(this.line())[0];
    if (next) this.await(next.value);
  }

  note(text) {
    this.say({ note: text }, { quiet: true });
    this.drawAround();
  }

  edit(pointer) {
    if (pointer && !FORM.edited) return;
    if (pointer && pointer !== this.editing) this.finishEdit();
    this.editing = pointer;
    if (pointer) this.part = pointer;
    this.draw();
    if (!pointer) this.byId("item").focus({ preventScroll: true });
  }

  /** Whoever goes elsewhere keeps what was typed, if it can be kept; else it is there when they come back. */
  finishEdit() {
    if (this.editing && this.byId("editor")) this.finishing();
    this.editing = null;
  }

  /** What was typed and not kept is given up. */
  discard(pointer) {
    this.typed.delete(this.at + pointer);
    this.draw();
  }

  keepEdit(pointer, text) {
    const decision = this.line().decision === FORM.explained ? FORM.explained : FORM.edited;
    this.editing = null;
    this.typed.delete(`${this.at}${pointer}`);
    this.say({ edits: { ...this.line().edits, [pointer]: text }, decision });
    this.byId("item").focus({ preventScroll: true });
  }

  unedit(pointer) {
    const { [pointer]: gone, ...edits } = this.line().edits;
    this.editing = null;
    if (gone === undefined) {
      this.draw();
      return;
    }
    const decision =
      this.line().decision === FORM.edited && !Object.keys(edits).length ? null : this.line().decision;
    this.say({ edits, decision });
  }

  /** What was said elsewhere, said now; of its edits those whose text is still the same. */
  sayAgain(aside) {
    const { seconds, sha, ...words } = aside.words;
    const same = (pointer) => {
      const now = this.item.parts.find(([known]) => known === pointer)?.[2];
      return now !== undefined && (!aside.parts?.has(pointer) || aside.parts.get(pointer) === now);
    };
    const edits = Object.fromEntries(
      Object.entries(words.edits ?? {}).filter(
        ([pointer, text]) => same(pointer) && !editFault(this.item, pointer, text),
      ),
    );
    this.say({ ...words, edits, scores: { ...this.line().scores, ...words.scores } });
  }

  /** Both sides together, with this page's word where the two contradict each other. */
  together(line, theirs) {
    const base = this.store.drawer.get(this.at)?.base ?? blank(this.item);
    return threeWay(base, theirs, line)[0];
  }

  choose(line, theirs) {
    const counts = kept(line);
    if (counts === line) this.drafts.delete(this.at);
    else this.drafts.set(this.at, line);
    this.store.choose(this.at, counts, theirs);
    this.reload();
  }

  retry() {
    this.store.retry(this.at);
    this.reload();
  }

  undo() {
    const before = this.undone.pop();
    if (!before) {
      this.tell("Nothing to undo.");
      return;
    }
    this.put(before);
    if (before.id !== this.at) this.go(before.id);
    this.editing = null;
    this.draw();
  }

  /** Which group of keys is waited for: `reasons`, a score, or none. */
  await(group) {
    this.waiting = this.waiting === group ? null : group;
    this.panel.unfold(Boolean(this.waiting));
    this.draw();
    if (this.waiting)
      this.tell(
        group === "reasons"
          ? "Reasons: press the letter of each, Enter when done."
          : `Press 1 to ${PLACES[stepsOf(this.waiting, this.item).length - 1]}.`,
      );
  }

  reasonsDone() {
    const line = this.line();
    this.await(null);
    if (line.reasons.includes(DATA.other) && !line.note.trim()) this.panel.toNote();
    else if (line.decision && this.settings.on("onward") && !missing(line)) this.nextOpen();
  }

  noteTime() {
    const seconds = this.clock.read();
    if (!seconds || !this.at || !said(this.line())) return;
    const all = Math.min((this.line().seconds ?? 0) + seconds, DATA.longest_look);
    this.put({ ...this.line(), seconds: all });
  }

  // --- on the screen ---

  draw(fresh = false) {
    drawPage(this, fresh);
  }

  drawAround() {
    drawAround(this);
  }

  tell(words) {
    this.byId("said").replaceChildren(make("span", { text: words }));
  }
}
