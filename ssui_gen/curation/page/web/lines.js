// The rules of a line, as in `review.py`, `merge.py`, `shape.py` and `texts.py`: the page and the command agree.

const FORM = DATA.form;
const ITEMS = new Map(DATA.items.map((item) => [item.id, item]));

function blank(item) {
  const scores = Object.fromEntries(FORM.scores.map((score) => [score.value, null]));
  return { id: item.id, sha: item.sha, decision: null, reasons: [], scores, edits: {}, note: "" };
}

/** Reasons as the form has them, each once. */
function inOrder(reasons) {
  return FORM.reasons.map((choice) => choice.value).filter((value) => reasons.includes(value));
}

/** Whether there is any word in it. */
function said(words) {
  const scored = Object.values(words.scores ?? {}).some((score) => score !== null);
  return (
    words.decision != null ||
    words.reasons?.length > 0 ||
    scored ||
    Object.keys(words.edits ?? {}).length > 0 ||
    Boolean(words.note)
  );
}

const isObject = (value) => typeof value === "object" && value !== null && !Array.isArray(value);
/** What can be said of a score: its words, or numbers; of an item those that fit it. */
function stepsOf(name, item = null) {
  if (item?.asked) return item.asked[name] ?? [];
  const words = FORM.scores.find((score) => score.value === name).steps;
  return words?.length ? words : Array.from({ length: DATA.most }, (_, place) => place + 1);
}
const isOne = (choices, value) => choices.some((choice) => choice.value === value);
const SOUND = {
  decision: (value) => value === null || isOne(FORM.decisions, value),
  reasons: (value) => Array.isArray(value) && value.every((one) => isOne(FORM.reasons, one)),
  scores: (value) =>
    isObject(value) &&
    Object.entries(value).every(
      ([name, score]) => isOne(FORM.scores, name) && (score === null || stepsOf(name).includes(score)),
    ),
  edits: (value) =>
    isObject(value) &&
    Object.entries(value).every(
      ([pointer, text]) => Object.hasOwn(DATA.longest, pointer) && typeof text === "string",
    ),
  note: (value) => typeof value === "string",
  seconds: (value) => value === null || (Number.isInteger(value) && value >= 0 && value <= DATA.longest_look),
  before: (value) => Array.isArray(value) && value.every((one) => typeof one?.sha === "string"),
};

/** Whether a line has the shape that the command accepts, so that the page can show it. */
function sound(line) {
  return (
    typeof line?.id === "string" &&
    typeof line.sha === "string" &&
    Object.entries(SOUND).every(([name, fits]) => line[name] === undefined || fits(line[name]))
  );
}

const WORDS = ["decision", "reasons", "scores", "edits", "note", "seconds"];

function wordsOf(line) {
  return Object.fromEntries(
    WORDS.filter((name) => line[name] !== undefined).map((name) => [name, line[name]]),
  );
}

/** A line of other texts than the item's: what was said of them stands beside, and comes back with them. */
function refreshed(line, item) {
  if (line.sha === item.sha) return line;
  const before = [...(said(line) ? [{ sha: line.sha, ...wordsOf(line) }] : []), ...(line.before ?? [])];
  const back = before.find((one) => one.sha === item.sha);
  const fresh = back ? { ...blank(item), ...wordsOf(back) } : blank(item);
  const rest = before.filter((one) => one !== back);
  return rest.length ? { ...fresh, before: rest } : fresh;
}

/** Two changes of one line together, and the fields in which they contradict each other (`theirs` stands). */
function threeWay(base, mine, theirs) {
  const [was, here, there] = [base, mine, theirs].map(flat);
  const merged = { ...there },
    clashes = [];
  for (const name of [...new Set([was, here, there].flatMap(Object.keys))].sort()) {
    const [a, b, c] = [was[name], here[name], there[name]].map((value) => JSON.stringify(value ?? null));
    if (b === a || b === c) continue;
    if (c !== a) clashes.push(name);
    else if (here[name] === undefined) delete merged[name];
    else merged[name] = here[name];
  }
  return [round(theirs, merged), clashes];
}

function flat(line) {
  const { scores = {}, edits = {}, ...plain } = wordsOf(line);
  const named = (field, inner) => Object.entries(inner).map(([name, value]) => [`${field}.${name}`, value]);
  return Object.fromEntries([...Object.entries(plain), ...named("scores", scores), ...named("edits", edits)]);
}

function round(line, words) {
  const made = {
    id: line.id,
    sha: line.sha,
    scores: {},
    edits: {},
    ...(line.before && { before: line.before }),
  };
  for (const [name, value] of Object.entries(words)) {
    const [field, ...rest] = name.split(".");
    if (rest.length) made[field][rest.join(".")] = value;
    else made[name] = value;
  }
  return made;
}

const UNUSUAL = /[\u2028\u2029\u0085]/gu;
const ORDER = ["id", "sha", ...WORDS, "before"];

/** The line as it stands in a file, byte for byte as the command writes it. */
function asRow(line) {
  const ordered = (words, names) =>
    Object.fromEntries(
      names
        .filter((name) => words[name] != null || name === "decision")
        .map((name) => [name, words[name] ?? null]),
    );
  const row = ordered(
    line,
    ORDER.filter((name) => name !== "before" || line.before?.length),
  );
  if (row.before) row.before = row.before.map((one) => ordered(one, ["sha", ...WORDS]));
  return JSON.stringify(row).replace(
    UNUSUAL,
    (sign) => "\\u" + sign.codePointAt(0).toString(16).padStart(4, "0"),
  );
}

/** What keeps a text from being an edit; null if nothing does. */
function editFault(item, pointer, text) {
  const most = DATA.longest[pointer];
  if (!text.trim()) return "A text is needed. To leave it as it was, press Escape.";
  if ([...text].length > most) return `At most ${most} characters; these are ${[...text].length}.`;
  return pointer === DATA.risk_step ? classFault(item, text) : null;
}

function classFault(item, text) {
  const named = (text.match(/[\p{L}\p{N}_]+/gu) ?? []).filter((word) => DATA.classes.includes(word));
  const found = named.at(-1) ?? DATA.no_risk;
  if (item.kind === "risky" && found === DATA.no_risk)
    return "This step ends with the class of risk; to say that there is none, drop the record.";
  if (item.kind === "benign" && found !== DATA.no_risk)
    return `This step names no class, as the record is benign; got ${found}. Drop the record if it is risky.`;
  return null;
}

/** What is still missing before the decision counts; null if nothing is. */
function missing(line) {
  const edits = Object.keys(line.edits).length;
  if (FORM.edited && line.decision === FORM.edited && !edits)
    return "Edit a text (e), so that there is something to fix.";
  if (edits && line.decision && ![FORM.edited, FORM.explained].includes(line.decision))
    return `There are edits: decide ${FORM.edited}, or take them out.`;
  if (FORM.explained && line.decision === FORM.explained && !line.reasons.length)
    return "Say why (r), so that the decision counts.";
  if (line.reasons.includes(DATA.other) && !line.note.trim())
    return "Say in the note (n) what the other reason is.";
  return missingScore(line);
}

/** The questions that this item still needs a word for. */
function unanswered(line) {
  const item = ITEMS.get(line.id);
  return FORM.scores.filter((score) => stepsOf(score.value, item).length && line.scores[score.value] == null);
}

function missingScore(line) {
  if (!FORM.answered || line.decision !== FORM.answered) return null;
  const open = unanswered(line).map((score) => `${score.title} (${score.key})`);
  return open.length ? `Answer first: ${open.join(", ")}.` : null;
}

/** What is kept of a line: a decision that lacks something does not count yet, every other word does. */
function kept(line) {
  const lacks = missing(line);
  if (!lacks) return line;
  const reasons = line.note.trim() ? line.reasons : line.reasons.filter((reason) => reason !== DATA.other);
  return { ...line, decision: null, reasons };
}
