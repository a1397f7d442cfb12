// The page: what is shown, what each key does, and the path of a person's word from here to where it is kept.

const KEYS = [
  ["j / k", "next, previous item"], ["↑ / ↓", "the text above, below"],
  ...FORM.decisions.map((choice) => [choice.key, `${choice.title}: ${choice.help}`]),
  ["0", "take the decision back"],
  ...(FORM.edited ? [["e", "edit the chosen text"]] : []), ...(FORM.reasons.length ? [["r", "reasons; then the letter of each, Enter when done"]] : []),
  ...FORM.scores.map((score) => [`${score.key}, 1–${DATA.most}`, `${score.title}: ${score.help}`]),
  ["n", "note; Escape when done"], ["u", "next item not yet decided"], ["z", "undo"], ["/", "filter"], ["b", "blur the picture"], ["?", "this help"],
];
const UNDO = 200;
const MOST_IDLE = 60;

class App {
  constructor() {
    this.byId = (id) => document.getElementById(id);
    this.undone = [];
    this.drafts = new Map();
    this.typed = new Map();
    this.editing = null;
    this.waiting = null;
    this.list = new List(this.byId("list"), (id) => this.go(id));
    this.panel = new Panel(this);
    this.byId("panel-place").append(this.panel.element);
    this.clock = { on: false, since: performance.now(), touched: performance.now() };
    this.settings();
    this.controls();
  }

  // --- who, and what is to be seen ---

  start(name) {
    this.store = DATA.server ? new ServerStore(name) : new BrowserStore(name);
    this.store.onchange = () => this.reload();
    const share = DATA.shares[name];
    this.ids = DATA.items.map((item) => item.id).filter((id) => !share || share.includes(id));
    this.list.line = (id) => this.line(id);
    this.byId("name").textContent = name;
    this.reload(false);
    this.go(this.ids.find((id) => !this.line(id).decision) ?? this.ids[0]);
  }

  reload(draw = true) {
    const there = this.store.load();
    this.lines = new Map(this.ids.map((id) => [id, refreshed(this.whole(there.get(id), ITEMS.get(id)), ITEMS.get(id))]));
    for (const [id, draft] of this.drafts) {
      if (this.lines.has(id) && asRow(kept(draft)) === asRow(this.line(id))) this.lines.set(id, draft);
      else this.drafts.delete(id);
    }
    this.gone = [...there.values()].filter((line) => !this.lines.has(line.id) && (said(line) || line.before));
    if (draw) this.draw();
  }

  whole(line, item) {
    return line ? { ...blank(item), ...line, scores: { ...blank(item).scores, ...line.scores } } : blank(item);
  }

  line(id = this.at) { return this.lines.get(id); }
  get item() { return ITEMS.get(this.at); }

  filtered() {
    const words = this.byId("filter").value.toLowerCase().split(/\s+/u).filter(Boolean), show = this.byId("show").value;
    return this.ids.filter((id) => {
      const item = ITEMS.get(id), state = stateOf(this.line(id)).value;
      if (show === "todo" && this.line(id).decision && state !== "lacking") return false;
      if (show !== "all" && show !== "todo" && state !== show) return false;
      return words.every((word) => item.search.includes(word));
    });
  }

  // --- going ---

  go(id) {
    if (!id || id === this.at) return;
    this.finishEdit();
    this.noteTime();
    this.at = id;
    this.part = this.item.parts[0][0];
    this.editing = this.waiting = null;
    this.draw(true);
    this.byId("item").scrollTop = 0;
  }

  step(by) {
    const ids = this.filtered(), at = ids.indexOf(this.at);
    this.go(ids[at < 0 ? 0 : Math.min(ids.length - 1, Math.max(0, at + by))]);
  }

  nextOpen() {
    const ids = this.filtered(), at = ids.indexOf(this.at);
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
    if (line.decision === value) { this.draw(); return; }
    this.say({ decision: value });
    if (value === FORM.edited && !Object.keys(line.edits).length) this.edit(this.part in DATA.longest ? this.part : null);
    else if (value === FORM.explained && !line.reasons.length) this.await("reasons");
    else if (this.byId("onward").checked && !missing(this.line())) this.nextOpen();
  }

  undecide() {
    this.waiting = null;
    if (this.line().decision) this.say({ decision: null });
  }

  toggle(reason) {
    const there = this.line().reasons;
    const chosen = there.includes(reason) ? there.filter((one) => one !== reason) : [...there, reason];
    this.say({ reasons: FORM.reasons.map((choice) => choice.value).filter((value) => chosen.includes(value)) });
  }

  score(name, number) {
    const scores = this.line().scores;
    this.waiting = null;
    this.say({ scores: { ...scores, [name]: scores[name] === number ? null : number } });
  }

  note(text) { this.say({ note: text }, { quiet: true }); this.drawAround(); }

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
    if (gone === undefined) { this.draw(); return; }
    const decision = this.line().decision === FORM.edited && !Object.keys(edits).length ? null : this.line().decision;
    this.say({ edits, decision });
  }

  /** What was said elsewhere, said now; of its edits those whose text is still the same. */
  sayAgain(aside) {
    const { seconds, sha, ...words } = aside.words;
    const same = (pointer) => {
      const now = this.item.parts.find(([known]) => known === pointer)?.[2];
      return now !== undefined && (!aside.parts?.has(pointer) || aside.parts.get(pointer) === now);
    };
    const edits = Object.fromEntries(Object.entries(words.edits ?? {}).filter(([pointer, text]) => same(pointer) && !editFault(this.item, pointer, text)));
    this.say({ ...words, edits, scores: { ...this.line().scores, ...words.scores } });
  }

  choose(line, theirs) {
    this.drafts.delete(this.at);
    this.store.choose(this.at, kept(line), theirs);
    this.reload();
  }

  retry() {
    this.store.retry(this.at);
    this.reload();
  }

  undo() {
    const before = this.undone.pop();
    if (!before) { this.tell("Nothing to undo."); return; }
    this.put(before);
    if (before.id !== this.at) this.go(before.id);
    this.editing = null;
    this.draw();
  }

  await(group) {
    this.waiting = this.waiting === group ? null : group;
    this.draw();
    if (this.waiting) this.tell(group === "reasons" ? "Reasons: press the letter of each, Enter when done." : `Press 1 to ${DATA.most}.`);
  }

  // --- time: only where the person asks for it ---

  noteTime() {
    const now = performance.now(), { on, since, touched } = this.clock;
    const seconds = Math.round((Math.min(now, touched + MOST_IDLE * 1000) - since) / 1000);
    this.clock.since = this.clock.touched = now;
    if (on && this.at && seconds > 0 && said(this.line())) this.put({ ...this.line(), seconds: (this.line().seconds ?? 0) + seconds });
  }

  // --- drawing ---

  draw(fresh = false) {
    if (!this.at) { this.drawAround(); return; }
    const item = this.item, line = this.line(), clash = this.store.clashes.get(this.at);
    if (fresh) this.drawPicture(item);
    this.byId("asides").replaceChildren(...(clash ? [drawClash(this, line, clash)] : []), ...asidesOf(item, line).map((aside) => drawAside(this, aside)));
    const typing = this.editing && document.activeElement?.id === "editor" && !fresh;
    if (!typing) this.byId("texts").replaceChildren(...drawTexts(this, item, line));
    this.drawAround();
  }

  /** All but the texts, which a person may be typing into. */
  drawAround() {
    const ids = this.filtered(), done = this.ids.filter((id) => kept(this.line(id)).decision).length;
    this.list.show(ids, this.at);
    if (this.at) this.panel.show(this.line(), this.waiting);
    this.byId("done").max = this.ids.length || 1;
    this.byId("done").value = done;
    this.byId("count").textContent = `${done.toLocaleString("en")} of ${this.ids.length.toLocaleString("en")} decided${ids.length < this.ids.length ? `, ${ids.length.toLocaleString("en")} shown` : ""}`;
    const saved = this.byId("saved");
    if (saved.textContent !== this.store.words) saved.textContent = this.store.words;
    saved.classList.toggle("trouble", this.store.troubled);
    this.byId("nothing").hidden = ids.length > 0;
  }

  drawPicture(item) {
    const picture = this.byId("picture"), address = DATA.pictures[item.picture];
    picture.hidden = !address;
    this.byId("no-picture").hidden = Boolean(address);
    if (address) { picture.src = address; picture.width = item.size[0]; picture.height = item.size[1]; } else picture.removeAttribute("src");
    this.byId("about").textContent = `${item.kind === "risky" ? `Risky: ${item.category}` : "Benign"} · ${item.id}`;
    this.byId("why").replaceChildren(...item.why.map((word) => make("li", { text: word })));
    this.byId("facts").replaceChildren(...item.facts.flatMap(([name, text]) => [make("dt", { text: name }), putText(make("dd"), text)]));
    this.byId("more").hidden = !item.facts.length;
  }

  tell(words) { this.byId("said").replaceChildren(make("span", { text: words })); }

  // --- controls and keys ---

  controls() {
    for (const id of ["filter", "show"]) this.byId(id).addEventListener("input", () => this.drawAround());
    this.byId("filter").addEventListener("keydown", (event) => { if (["Enter", "Escape"].includes(event.key)) { event.preventDefault(); this.byId("item").focus(); this.step(0); } });
    this.byId("help-button").addEventListener("click", () => this.byId("help").showModal());
    this.byId("theme").addEventListener("click", () => this.turnTheme());
    this.byId("download").addEventListener("click", () => this.download());
    this.byId("open").addEventListener("change", (event) => this.open(event.target));
    this.byId("keys").replaceChildren(...KEYS.flatMap(([key, does]) => [make("dt", {}, make("kbd", { text: key })), make("dd", { text: does })]));
    for (const choice of FORM.decisions) this.byId("show").append(make("option", { value: choice.value, text: choice.title }));
    addEventListener("keydown", (event) => this.key(event));
    for (const what of ["pointerdown", "keydown", "scroll"]) addEventListener(what, () => { this.clock.touched = performance.now(); }, { capture: true, passive: true });
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.noteTime(); else this.clock.since = this.clock.touched = performance.now(); });
    addEventListener("pagehide", () => this.noteTime());
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || !this.byId("shortcuts").checked || document.querySelector("dialog[open]")) return;
    if (event.target.closest("input, textarea, select")) return;
    const onButton = event.target.closest("button, summary, label") && [" ", "Enter"].includes(event.key);
    if (onButton && this.waiting !== "reasons") return;
    if (this.keyWhileWaiting(event.key) || this.plainKey(event.key)) event.preventDefault();
  }

  /** A key of the group that is waited for; whatever else is pressed ends the waiting. */
  keyWhileWaiting(key) {
    const group = this.waiting;
    if (!group) return false;
    if (group === "reasons") {
      const reason = FORM.reasons.find((choice) => choice.key === key);
      if (reason) { this.toggle(reason.value); return true; }
      if (key === "Enter") { this.waiting = null; this.draw(); this.afterReasons(); return true; }
    } else if (/^\d$/u.test(key) && key >= "1" && key <= String(DATA.most)) { this.score(group, Number(key)); return true; }
    this.waiting = null;
    this.draw();
    return key === "Escape";
  }

  afterReasons() {
    if (this.line().reasons.includes(DATA.other) && !this.line().note.trim()) this.panel.note.focus();
    else if (this.line().decision && this.byId("onward").checked && !missing(this.line())) this.nextOpen();
  }

  plainKey(key) {
    const decision = FORM.decisions.find((choice) => choice.key === key);
    if (decision) { this.decide(decision.value); return true; }
    const score = FORM.scores.find((choice) => choice.key === key);
    if (score) { this.await(score.value); return true; }
    const does = {
      j: () => this.step(1), k: () => this.step(-1), ArrowDown: () => this.stepPart(1), ArrowUp: () => this.stepPart(-1),
      0: () => this.undecide(), e: () => this.edit(this.part), n: () => this.panel.note.focus(), u: () => this.nextOpen(), z: () => this.undo(),
      "/": () => this.byId("filter").focus(), b: () => this.byId("blur").click(), "?": () => this.byId("help").showModal(),
      ...(FORM.reasons.length && { r: () => this.await("reasons") }),
    }[key];
    does?.();
    return Boolean(does);
  }

  // --- settings, files ---

  /** Boxes that are remembered on this computer. */
  settings() {
    for (const id of ["blur", "onward", "shortcuts", "timed"]) {
      const box = this.byId(id), key = `ssui/setting/${id}`;
      try { box.checked = (localStorage.getItem(key) ?? String(box.defaultChecked)) === "true"; } catch { /* as it stands in the page */ }
      box.addEventListener("change", () => { try { localStorage.setItem(key, String(box.checked)); } catch { /* only for now */ } this.applySettings(); });
    }
    try { document.documentElement.dataset.theme = localStorage.getItem("ssui/setting/theme") ?? "auto"; } catch { /* as the system has it */ }
    this.applySettings();
  }

  applySettings() {
    document.documentElement.classList.toggle("blurred", this.byId("blur").checked);
    this.clock.on = this.byId("timed").checked;
    this.clock.since = this.clock.touched = performance.now();
    this.tellTheme();
  }

  turnTheme() {
    const order = ["auto", "light", "dark"], root = document.documentElement;
    root.dataset.theme = order[(order.indexOf(root.dataset.theme) + 1) % order.length];
    try { localStorage.setItem("ssui/setting/theme", root.dataset.theme); } catch { /* only for now */ }
    this.tellTheme();
  }

  tellTheme() { this.byId("theme").textContent = `Theme: ${document.documentElement.dataset.theme}`; }

  /** The person's file, exactly as the command would write it. */
  rows() { return [...this.ids.map((id) => kept(this.line(id))), ...this.gone]; }

  download() {
    this.noteTime();
    const rows = this.rows();
    const address = URL.createObjectURL(new Blob([rows.map((line) => `${asRow(line)}\n`).join("")], { type: "application/jsonl" }));
    const link = make("a", { href: address, download: `${this.store.name}.jsonl` });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(address), 60000);
    this.store.written(rows);
    this.tell(`${this.store.name}.jsonl was downloaded: put it into the folder that this page came from.`);
  }

  async open(input) {
    const read = this.store.open(await input.files[0].text());
    const differ = this.store.clashes.size;
    input.value = "";
    this.reload();
    this.tell(`${read} lines read.${differ ? ` ${differ} say something else than this page: each shows both.` : ""}`);
    if (differ) this.go([...this.store.clashes.keys()].find((id) => this.lines.has(id)));
  }
}

for (const item of DATA.items) item.search = [item.id, item.kind, item.category, ...item.parts.map(([, , text]) => text)].join("\n").toLowerCase();

/** A name as files have them. */
function nameFault(name) {
  return /^[a-z0-9][a-z0-9_-]{0,31}$/u.test(name) && !DATA.taken.includes(name) ? null : "Small letters, digits, - and _, please.";
}

const app = new App();
document.documentElement.classList.toggle("with-server", DATA.server);
if (DATA.reviewer) app.start(DATA.reviewer);
else {
  const dialog = document.getElementById("who"), input = document.getElementById("who-name");
  const key = `ssui/${DATA.folder}/name`;
  const known = (() => { try { return localStorage.getItem(key) ?? ""; } catch { return ""; } })();
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  document.getElementById("who-form").addEventListener("submit", (event) => {
    const name = input.value.trim().toLowerCase(), wrong = nameFault(name);
    document.getElementById("who-fault").textContent = wrong ?? "";
    if (wrong) { event.preventDefault(); return; }
    try { localStorage.setItem(key, name); } catch { /* asked again next time */ }
    app.start(name);
  });
  input.value = known;
  if (known && !nameFault(known)) app.start(known);
  else dialog.showModal();
}
