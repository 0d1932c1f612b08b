// Texts of the page: English, and another language over it.

export const LANGUAGES = { en: "English", de: "Deutsch", fr: "Français", es: "Español", ja: "日本語", zh: "中文" };

let texts = {};
let current = "en";

async function load(name) {
  const answer = await fetch(`/static/texts/${name}.json`);
  return answer.ok ? answer.json() : {};
}

function wanted() {
  try {
    const chosen = localStorage.getItem("panfocus-language");
    if (chosen in LANGUAGES) return chosen;
  } catch { /* no storage */ }
  const known = navigator.languages.map((l) => l.slice(0, 2)).find((l) => l in LANGUAGES);
  return known ?? "en";
}

export async function speak(name = wanted()) {
  current = name;
  const [english, other] = await Promise.all([load("en"), name === "en" ? {} : load(name)]);
  texts = { ...english, ...other };
  document.documentElement.lang = name;
}

export const language = () => current;

/** A text by its key, `{name}` replaced, `{name#one|more}` by the number; the key where there is none. */
export function t(key, values = {}) {
  const plural = new Intl.PluralRules(current);
  const text = (texts[key] ?? key).replace(/\{(\w+)#([^|}]*)\|([^}]*)\}/g, (_, name, one, more) => (plural.select(values[name]) === "one" ? one : more));
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? values[name] : whole));
}

export const has = (key) => key in texts;

export const number = (value, digits = 0) => new Intl.NumberFormat(current, { maximumFractionDigits: digits }).format(value);
