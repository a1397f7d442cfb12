// What a person prefers, remembered on this computer by every page alike.

const THEMES = ["auto", "light", "dark"];

/** A word of this computer's; null where there is none, or nothing is kept. */
function remembered(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** Where nothing is kept it holds for now. */
function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    /* for now, then */
  }
}

/** Where nothing is kept it holds for this page all the same. */
function putTheme(name) {
  document.documentElement.dataset.theme = THEMES.includes(name) ? name : "auto";
  document.getElementById("theme").textContent = `Theme: ${document.documentElement.dataset.theme}`;
}

function showTheme() {
  putTheme(remembered("ssui/setting/theme"));
}

function turnTheme() {
  const next = THEMES[(THEMES.indexOf(document.documentElement.dataset.theme) + 1) % THEMES.length];
  remember("ssui/setting/theme", next);
  putTheme(next);
}
