// Where lines are kept: in this browser alone, or in the person's own file by way of `ssui review`.
//
// Every change is in the browser's storage at once, together with the line it started from. With a server it
// stays there until the server has written it, so a server that is away, or killed, loses nothing.

const KEPT = "What you say is kept in this browser and sent again.";
const AWAY = `The server does not answer. ${KEPT}`;

/** What is kept under the folder's own name: in this page, and in the browser's storage where that works. */
class Drawer {
  constructor(name) {
    this.prefix = `ssui/${DATA.folder}/${FORM.name}/${name}/`;
    this.works = true;
    this.kept = new Map();
    this.quietly(() => {
      for (let at = 0; at < localStorage.length; at++)
        this.take(localStorage.key(at), localStorage.getItem(localStorage.key(at)));
    });
  }

  /** What is not ours to read is passed over, and stays in the storage. */
  take(key, text) {
    const entry = key.startsWith(this.prefix) ? readEntry(text) : null;
    if (entry) this.kept.set(key.slice(this.prefix.length), entry);
  }

  /** Another tab has changed something; whether it concerns us. */
  heard(key, text) {
    if (!key?.startsWith(this.prefix)) return false;
    if (text === null) this.kept.delete(key.slice(this.prefix.length));
    else this.take(key, text);
    return true;
  }

  entries() {
    return [...this.kept];
  }
  get(id) {
    return this.kept.get(id) ?? null;
  }

  put(id, entry) {
    this.kept.set(id, entry);
    this.quietly(() => localStorage.setItem(this.prefix + id, JSON.stringify(entry)));
  }

  drop(id) {
    this.kept.delete(id);
    this.quietly(() => localStorage.removeItem(this.prefix + id));
  }

  /** A browser that keeps nothing is said once, and the page goes on without. */
  quietly(act) {
    try {
      act();
    } catch {
      this.works = false;
    }
  }

  get warning() {
    return this.works ? null : "This browser keeps nothing: download your file before you close the page.";
  }
}

function readEntry(text) {
  try {
    const entry = JSON.parse(text);
    return sound(entry?.line) && (!entry.base || sound(entry.base)) ? entry : null;
  } catch {
    return null;
  }
}

/** Without a server: the drawer is all there is, and the file is downloaded. */
class BrowserStore {
  constructor(name) {
    this.name = name;
    this.drawer = new Drawer(name);
    this.clashes = new Map();
    this.onchange = () => {};
    this.unwritten = false;
    addEventListener("storage", (event) => {
      if (this.drawer.heard(event.key, event.newValue)) this.onchange();
    });
    addEventListener("beforeunload", (event) => {
      if (this.unwritten && this.troubled) event.preventDefault();
    });
  }

  load() {
    return new Map(this.drawer.entries().map(([id, entry]) => [id, entry.line]));
  }

  save(line) {
    const base = this.base(line.id);
    this.unwritten = true;
    if (!said(base) && !base.before && asRow(base) === asRow(line)) this.drawer.drop(line.id);
    else this.drawer.put(line.id, { base, line });
  }

  /** What the file said when it was last opened or downloaded here. */
  base(id) {
    return this.drawer.get(id)?.base ?? blank(ITEMS.get(id));
  }

  /**
   * Take up a file; where it and this page both say something new, both are kept until the person chooses.
   * Returns how many lines were read, and the numbers of those that `check` would refuse.
   */
  open(text) {
    const there = this.load(),
      refused = [];
    let read = 0;
    for (const [at, row] of text
      .replace(/^\ufeff/u, "")
      .split("\n")
      .entries()) {
      if (!row.trim()) continue;
      const line = readEntry(`{"line":${row}}`)?.line;
      if (!line) {
        refused.push(at + 1);
        continue;
      }
      read++;
      const theirs = { ...blank({ id: line.id, sha: line.sha }), ...line };
      const mine = there.get(line.id);
      const [merged, clashes] = mine ? threeWay(this.drawer.get(line.id).base, mine, theirs) : [theirs, []];
      if (clashes.length) this.clashes.set(line.id, { theirs, fields: clashes });
      else this.drawer.put(line.id, { base: theirs, line: merged });
    }
    return { read, refused };
  }

  /** The file was written out: from now on changes start from what it says. */
  written(lines) {
    for (const line of lines) if (said(line) || line.before) this.drawer.put(line.id, { base: line, line });
    this.unwritten = false;
  }

  choose(id, line, theirs) {
    this.clashes.delete(id);
    this.drawer.put(id, { base: theirs, line });
  }

  get words() {
    return this.drawer.warning ?? "Kept in this browser";
  }
  get troubled() {
    return !this.drawer.works;
  }
}

/** With a server: each change is sent at once, one after another, and the answer says what the file says now. */
class ServerStore {
  constructor(name) {
    this.name = name;
    this.drawer = new Drawer(name);
    this.known = new Map(DATA.lines.map((line) => [line.id, line]));
    this.clashes = new Map();
    this.sending = null;
    this.trouble = null;
    this.outdated = false;
    this.onchange = () => {};
    setInterval(() => this.look(), 4000);
    addEventListener("focus", () => this.look());
    addEventListener("beforeunload", (event) => {
      if (this.waiting().length && !this.drawer.works) event.preventDefault();
    });
  }

  /** What the file says, with what has not reached it yet. */
  load() {
    const lines = new Map(this.known);
    for (const [id, entry] of this.drawer.entries()) lines.set(id, entry.line);
    this.send();
    return lines;
  }

  waiting() {
    return this.drawer.entries().filter(([id]) => !this.clashes.has(id));
  }

  save(line) {
    const entry = this.drawer.get(line.id);
    this.drawer.put(line.id, { base: entry?.base ?? this.known.get(line.id) ?? null, line });
    this.send();
  }

  async send() {
    if (this.sending) return;
    this.sending = this.sendAll();
    try {
      await this.sending;
    } finally {
      this.sending = null;
    }
  }

  async sendAll() {
    for (let next = this.waiting()[0]; next; next = this.waiting()[0]) {
      const [id, entry] = next;
      const answer = await ask("lines", { method: "PUT", body: JSON.stringify(entry) });
      const said = await saidBy(answer);
      if (!answer || answer.status >= 500) {
        this.tell(said.error ? `${said.error}. ${KEPT}` : AWAY);
        return;
      }
      if (answer.status === 423) {
        this.tell(said.error);
        return;
      }
      if (answer.status === 409) this.clashes.set(id, { theirs: said.line, fields: said.fields });
      else if (!answer.ok) {
        this.tell(said.error);
        this.clashes.set(id, { theirs: null, fields: [], error: said.error });
      } else this.arrived(id, entry, said.line);
      this.onchange();
    }
    this.tell([...this.clashes.values()].find((clash) => clash.error)?.error ?? null);
  }

  /** The file says it now; if the person has gone on meanwhile, that is sent next. */
  arrived(id, sent, line) {
    this.known.set(id, line);
    const entry = this.drawer.get(id);
    if (!entry || asRow(entry.line) === asRow(sent.line)) this.drawer.drop(id);
    else this.drawer.put(id, { base: sent.line, line: entry.line });
  }

  /** What somebody else, or an editor, has written into the file meanwhile. */
  async look() {
    const waiting = this.waiting();
    if (waiting.length) {
      this.send();
      return;
    }
    const headers = this.tag ? { "If-None-Match": this.tag } : {};
    const answer = await ask("lines", { headers });
    if (answer?.status === 304) {
      this.tell(null);
      return;
    }
    const said = await saidBy(answer);
    if (!answer?.ok) {
      this.tell(said.error ?? AWAY);
      return;
    }
    this.tag = answer.headers.get("ETag");
    this.known = new Map(said.lines.map((line) => [line.id, line]));
    for (const [id, mine] of Object.entries(said.set_back))
      this.clashes.set(id, { theirs: this.known.get(id), mine, fields: differing(mine, this.known.get(id)) });
    this.outdated = said.export !== DATA.export;
    this.tell(null);
    this.onchange();
  }

  /** Sent even if it is what the file says: then the server knows that it is meant. */
  choose(id, line, theirs) {
    this.clashes.delete(id);
    this.known.set(id, theirs);
    this.drawer.put(id, { base: theirs, line });
    this.send();
  }

  retry(id) {
    this.clashes.delete(id);
    this.send();
  }

  tell(trouble) {
    if (this.trouble === trouble) return;
    this.trouble = trouble;
    this.onchange();
  }

  get words() {
    if (this.trouble) return this.trouble;
    if (this.outdated) return "The items were exported anew: reload the page to see them.";
    return this.waiting().length ? "Writing…" : `Written to ${this.name}.jsonl`;
  }
  get troubled() {
    return Boolean(this.trouble) || this.outdated;
  }
}

/** The fields in which two lines differ. */
function differing(one, other) {
  const [a, b] = [flat(one), flat(other)];
  return [...new Set([...Object.keys(a), ...Object.keys(b)])]
    .filter((name) => JSON.stringify(a[name]) !== JSON.stringify(b[name]))
    .sort();
}

/** What an answer says; nothing where there is none, or no JSON in it. */
async function saidBy(answer) {
  try {
    return (await answer?.json()) ?? {};
  } catch {
    return {};
  }
}

async function ask(path, options) {
  try {
    return await fetch(path, {
      ...options,
      headers: { "Content-Type": "application/json", ...options.headers },
    });
  } catch {
    return null;
  }
}
