// Words and signs: what changed between two texts, and what nobody would see.

/** Runs of words that are the same, gone or new, in reading order: [[kind, text], …]. */
function wordDiff(before, after) {
  const a = before.match(/\s+|\S+/gu) ?? [],
    b = after.match(/\s+|\S+/gu) ?? [];
  // longest[i][j]: of the longest common run of words of a from i on and b from j on
  const longest = Array.from({ length: a.length + 1 }, () => new Uint16Array(b.length + 1));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) {
      longest[i][j] =
        a[i] === b[j] ? longest[i + 1][j + 1] + 1 : Math.max(longest[i + 1][j], longest[i][j + 1]);
    }
  }
  const runs = [];
  const add = (kind, text) => {
    const last = runs.at(-1);
    if (last?.[0] === kind) last[1] += text;
    else runs.push([kind, text]);
  };
  let i = 0,
    j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      add("same", a[i]);
      i++;
      j++;
    } else if (j >= b.length || (i < a.length && longest[i + 1][j] >= longest[i][j + 1])) add("gone", a[i++]);
    else add("new", b[j++]);
  }
  return gathered(runs);
}

/** Changes with nothing but spaces between them are one change: first what is gone, then what is new. */
function gathered(runs) {
  const found = [];
  for (let at = 0; at < runs.length; at++) {
    if (runs[at][0] === "same") {
      found.push(runs[at]);
      continue;
    }
    const texts = { gone: "", new: "" };
    for (
      ;
      at < runs.length && (runs[at][0] !== "same" || (!runs[at][1].trim() && at + 1 < runs.length));
      at++
    ) {
      const [kind, text] = runs[at];
      if (kind !== "new") texts.gone += text;
      if (kind !== "gone") texts.new += text;
    }
    at--;
    found.push(...["gone", "new"].filter((kind) => texts[kind]).map((kind) => [kind, texts[kind]]));
  }
  return found;
}

/** Control characters, turns of the writing direction, spaces without width: as in `texts.py`. */
const HIDDEN = /([\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200b\u2028-\u202e\u2060\u2066-\u2069\ufeff])/gu;

/** A text as one line without them. */
function oneLine(text) {
  return text
    .replace(/[\s\u0085]+/gu, " ")
    .replace(HIDDEN, "")
    .trim();
}

/** A note without them; it may have several lines. */
function cleanNote(text) {
  return text
    .replace(/\r\n?|[\u0085\u2028\u2029]/gu, "\n")
    .replace(HIDDEN, (sign) => (sign === "\t" ? sign : ""));
}

function codeOf(sign) {
  return "U+" + sign.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
}

/** Put a text into an element as text and nothing else; what nobody would see is shown by its number. */
function putText(element, text) {
  text.split(HIDDEN).forEach((piece, place) => {
    if (place % 2) element.append(make("span", { class: "hidden-sign", text: codeOf(piece) }));
    else if (piece) element.append(piece);
  });
  return element;
}

/** An element with attributes, `text`, and children. Attributes that are null or false are left out. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name === "text") element.textContent = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value !== null && value !== false) element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children);
  return element;
}

/** A text that became another one, with what is gone and what is new marked. */
function diffOf(before, after) {
  const shown = make("p", { class: "text" });
  for (const [kind, text] of wordDiff(before, after)) {
    if (kind === "same") putText(shown, text);
    else shown.append(putText(make(kind === "gone" ? "del" : "ins"), text));
  }
  return shown;
}
