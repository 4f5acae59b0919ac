// Light, dark, or as the system has it; and the colours that canvases are drawn with, which are those of the style sheet.

const KEY = "pushbench-theme";
const THEMES = ["auto", "light", "dark"];
const TITLES = { auto: "Auto", light: "Light", dark: "Dark" };
const NAMES = ["polling", "longpoll", "stream", "sse", "websocket", "webtransport"];
let cached = null;

/** The colours of now, by name. */
export function looks() {
  if (cached) return cached;
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(`--${name}`).trim();
  cached = { line: of("line"), grey: of("grey"), now: of("grey"), font: of("font") };
  for (const name of NAMES) cached[name] = of(name);
  return cached;
}

/** Have a button go through the themes; `changed` is called whenever the colours are others. */
export function initTheme(button, changed) {
  let theme = THEMES.includes(localStorage.getItem(KEY)) ? localStorage.getItem(KEY) : "auto";
  const apply = () => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
    button.textContent = TITLES[theme];
    button.setAttribute("aria-label", `Colours: ${theme === "auto" ? "as the system has them" : theme}`);
    cached = null;
    changed();
  };
  button.onclick = () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    localStorage.setItem(KEY, theme);
    apply();
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", apply);
  apply();
}
