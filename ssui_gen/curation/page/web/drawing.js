// What is on the screen: the item, how far the person is, and whether their words are safe.

/** Everything; `fresh` where another item has come up. */
function drawPage(app, fresh) {
  if (!app.at) {
    drawAround(app);
    return;
  }
  const item = app.item,
    line = app.line(),
    clash = app.store.clashes.get(app.at);
  if (fresh) drawPicture(app, item);
  app
    .byId("asides")
    .replaceChildren(
      ...(clash ? [drawClash(app, line, clash)] : []),
      ...asidesOf(item, line).map((aside) => drawAside(app, aside)),
    );
  const typing = app.editing && document.activeElement?.id === "editor" && !fresh;
  if (!typing) app.byId("texts").replaceChildren(...drawTexts(app, item, line));
  drawAround(app);
}

/** All but the texts, which a person may be typing into. */
function drawAround(app) {
  const ids = app.filtered(),
    done = app.ids.filter((id) => kept(app.line(id)).decision).length;
  app.list.show(ids, app.at);
  if (app.at) app.panel.show(app.line(), app.waiting);
  app.byId("done").max = app.ids.length || 1;
  app.byId("done").value = done;
  const [some, all, shown] = [done, app.ids.length, ids.length].map((number) => number.toLocaleString("en"));
  app.byId("count").textContent = `${some} of ${all} decided${shown === all ? "" : `, ${shown} shown`}`;
  const saved = app.byId("saved"),
    lacks = notKept(app),
    words = app.store.words + (lacks && ` · ${lacks}: not in your file`);
  if (saved.textContent !== words) saved.textContent = words;
  saved.classList.toggle("trouble", app.store.troubled);
  app.byId("nothing").hidden = ids.length > 0;
  const place = ids.indexOf(app.at) + 1;
  app.byId("unfold").textContent = `Item ${place || "–"} of ${shown}`;
}

function showPicture(element, { name, picture: [sha, width, height] }) {
  element.src = DATA.pictures[sha];
  element.width = width;
  element.height = height;
  element.alt = `${name} of this item; enlarge it`;
  return element;
}

/** What each picture is called: by its place among all, also where another cannot be shown. */
function namedPictures({ pictures }) {
  const of = pictures.length,
    name = (place) => (of > 1 ? `Picture ${place + 1} of ${of}` : "The picture");
  return pictures.map((picture, place) => ({ picture, name: name(place) }));
}

function drawPicture(app, item) {
  const picture = app.byId("picture"),
    all = namedPictures(item),
    isThere = (one) => DATA.pictures[one.picture[0]],
    [first, ...others] = all.filter(isThere),
    lacking = first ? all.filter((one) => !isThere(one)) : [];
  app.byId("shot").hidden = !first;
  app.byId("no-picture").hidden = Boolean(first) && !lacking.length;
  app.byId("no-picture").textContent =
    lacking.map(({ name }) => `${name} cannot be shown.`).join(" ") || "There is no picture to show.";
  if (first) showPicture(picture, first);
  else picture.removeAttribute("src");
  const more = others.map((one) =>
    make("button", { type: "button", class: "shot" }, showPicture(make("img", { decoding: "async" }), one)),
  );
  app.byId("more-pictures").replaceChildren(...more);
  app.byId("shot").parentElement.classList.toggle("several", more.length > 0);
  app.byId("about").textContent =
    `${item.kind === "risky" ? `Risky: ${item.category}` : "Benign"} · ${item.id}`;
  app.byId("why").textContent = item.why.length ? `Comes early: ${item.why.join("; ")}.` : "";
  app
    .byId("facts")
    .replaceChildren(
      ...item.facts.flatMap(([name, text]) => [make("dt", { text: name }), putText(make("dd"), text)]),
    );
  app.byId("more").hidden = !item.facts.length;
}
