// What every page that is read has: its theme, its keys, lists that can be filtered and walked through.

const frameKeys = [];

/** Rows of [keys as they are shown, what they do in words, what they do]; those of the page come first. */
function addKeys(...rows) {
  frameKeys.push(...rows);
}

/** A list with filters; where there are articles, the chosen one is shown beside it. */
class Browser {
  constructor(place) {
    this.rows = [...place.querySelectorAll("[data-row]")];
    this.words = new Map(this.rows.map((row) => [row, this.wordsOf(row)]));
    this.search = place.querySelector("input[type=search]");
    this.choices = [...place.querySelectorAll("select[data-by]")];
    this.count = place.querySelector("[data-count]");
    this.shown = this.rows;
    this.at = 0;
    for (const one of [this.search, ...this.choices]) one.addEventListener("input", () => this.filter());
    place.querySelector("[data-all]").addEventListener("click", () => this.all());
    place.addEventListener("click", (event) => this.clicked(event));
    addEventListener("hashchange", () => this.toHash());
    this.draw();
    this.toHash();
  }

  articleOf(row) {
    return row.dataset.item ? document.getElementById(row.dataset.item) : null;
  }

  wordsOf(row) {
    return (this.articleOf(row) ?? row).textContent.toLowerCase();
  }

  all() {
    this.search.value = "";
    for (const one of this.choices) one.value = "";
    this.filter();
  }

  filter() {
    const words = this.search.value.trim().toLowerCase();
    const fits = (row) =>
      this.choices.every((one) => !one.value || row.dataset[one.dataset.by] === one.value) &&
      (!words || this.words.get(row).includes(words));
    const chosen = this.shown[this.at];
    this.shown = this.rows.filter(fits);
    this.at = Math.max(0, this.shown.indexOf(chosen));
    this.draw();
  }

  clicked(event) {
    const row = event.target.closest("[data-row]");
    if (!row?.dataset.item) return;
    event.preventDefault();
    this.choose(this.shown.indexOf(row));
  }

  /** An address that names an item shows it. */
  toHash() {
    const id = named(location.hash.slice(1));
    const row = id && this.rows.find((one) => one.dataset.item === id);
    if (!row) return;
    if (!this.shown.includes(row)) this.all();
    this.choose(this.shown.indexOf(row));
    row.closest(".browser").scrollIntoView({ block: "start" });
  }

  choose(at) {
    if (!this.shown.length) return;
    this.at = Math.min(this.shown.length - 1, Math.max(0, at));
    this.draw();
    const row = this.shown[this.at];
    if (this.articleOf(row)) {
      history.replaceState(null, "", `#${row.dataset.item}`);
      keepInSight(row);
      const beside = row.closest(".browser");
      const top = beside.getBoundingClientRect().top;
      if (top > innerHeight / 2 || top < -200) beside.scrollIntoView({ block: "start" });
    } else row.querySelector("a").focus();
  }

  step(by) {
    this.choose(this.begun ? this.at + by : this.at + (this.hasItems() ? by : 0));
    this.begun = true;
  }

  hasItems() {
    return Boolean(this.rows[0]?.dataset.item);
  }

  draw() {
    const there = new Set(this.shown);
    this.rows.forEach((row) => {
      const chosen = row === this.shown[this.at];
      row.hidden = !there.has(row);
      const article = this.articleOf(row);
      if (!article) return;
      article.hidden = !chosen;
      if (chosen) row.setAttribute("aria-current", "true");
      else row.removeAttribute("aria-current");
    });
    const many = this.shown.length.toLocaleString("en");
    const place = this.hasItems() ? `${(this.at + 1).toLocaleString("en")} of ` : "";
    this.count.textContent = this.shown.length ? `${place}${many} that fit` : "None fits: change the filter.";
  }
}

/** Scrolls the list that holds the row and never the page. */
function keepInSight(row) {
  const list = row.parentElement;
  const top = row.offsetTop - list.clientTop;
  if (top < list.scrollTop) list.scrollTop = top;
  else if (top + row.offsetHeight > list.scrollTop + list.clientHeight)
    list.scrollTop = top + row.offsetHeight - list.clientHeight;
}

/** What the end of an address names; the end itself where it is no encoding of anything. */
function named(end) {
  try {
    return decodeURIComponent(end);
  } catch {
    return end;
  }
}

/** A link that the page has anyway, by key. */
function follow(rel) {
  document.querySelector(`a[rel=${rel}]`)?.click();
}

function press(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  if (event.target.closest("input, select, textarea")) {
    if (event.key === "Escape") event.target.blur();
    return;
  }
  const inList = event.target.closest(".list, #list");
  const key = { ArrowRight: "j", ArrowLeft: "k", ...(inList && { ArrowDown: "j", ArrowUp: "k" }) }[event.key] ?? event.key;
  const does = frameKeys.find(([names]) => names.split(" / ").includes(key));
  if (!does) return;
  event.preventDefault();
  does[2]();
}

function beginFrame() {
  showTheme();
  document.getElementById("theme").addEventListener("click", turnTheme);
  const help = document.getElementById("help");
  document.getElementById("help-button").addEventListener("click", () => help.showModal());
  for (const image of document.querySelectorAll("img[data-picture]")) {
    const address = DATA.pictures?.[image.dataset.picture];
    if (address) image.src = address;
    else if (image.closest(".frame"))
      image.replaceWith(make("p", { class: "none", text: "This picture is not in the page." }));
    else image.replaceWith(make("span", { class: "no-shot" }));
  }
  const place = document.querySelector("[data-browse]");
  const browser = place && new Browser(place);
  if (browser)
    addKeys(
      ["→ / j", "the next one", () => browser.step(1)],
      ["← / k", "the one before", () => browser.step(-1)],
      ["/", "filter by words", () => browser.search.focus()],
    );
  if (document.querySelector("a[rel=next], a[rel=prev]"))
    addKeys(["→ / j", "the next page", () => follow("next")], ["← / k", "the page before", () => follow("prev")]);
  if (document.querySelector("a[rel=up]")) addKeys(["u", "up to all of them", () => follow("up")]);
  addKeys(
    ["+", "enlarge a picture", () => {}],
    ["t", "theme: auto, light, dark", turnTheme],
    ["?", "this help", () => help.showModal()],
  );
  const shown = ([key, does]) => [make("dt", {}, make("kbd", { text: key })), make("dd", { text: does })];
  document.getElementById("keys").replaceChildren(...frameKeys.flatMap(shown));
  addEventListener("keydown", press);
}
