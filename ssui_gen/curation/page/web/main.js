// The start: who looks, and then the page is theirs.

/** A name as files have them. */
function nameFault(name) {
  const fits = /^[a-z0-9][a-z0-9_-]{0,31}$/u.test(name) && !DATA.taken.includes(name);
  return fits ? null : "Small letters, digits, - and _, please.";
}

function askWho(app) {
  const dialog = app.byId("who"),
    input = app.byId("who-name"),
    key = `ssui/${DATA.folder}/name`;
  const known = remembered(key) ?? "";
  dialog.addEventListener("cancel", (event) => event.preventDefault());
  app.byId("who-form").addEventListener("submit", (event) => {
    const name = input.value.trim().toLowerCase(),
      wrong = nameFault(name);
    app.byId("who-fault").textContent = wrong ?? "";
    if (wrong) {
      event.preventDefault();
      return;
    }
    remember(key, name);
    app.start(name);
  });
  input.value = known;
  if (known && !nameFault(known)) app.start(known);
  else dialog.showModal();
}

for (const item of DATA.items) {
  const texts = item.parts.map(([, , text]) => text);
  item.search = [item.id, item.kind, item.category, ...texts].join("\n").toLowerCase();
}
document.documentElement.classList.toggle("with-server", DATA.server);
const app = new App();
if (DATA.reviewer) app.start(DATA.reviewer);
else askWho(app);
