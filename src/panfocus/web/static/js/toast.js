// Short messages at the foot of the page, and how an error of the server reads.

import { el, glyph, iconButton } from "./dom.js";
import { has, t } from "./texts.js";

const shown = new Map();

/** Say something; one message for every key. */
export function toast(text, { kind = "info", key = text, stays = false, gone = false, more = [] } = {}) {
  shown.get(key)?.remove();
  shown.delete(key);
  if (gone) return;
  const remove = () => { note.remove(); shown.delete(key); };
  const note = el("div", { class: `toast ${kind}` },
    el("div", { class: "grow" }, el("p", {}, text), more.map((line) => el("p", { class: "small" }, line))),
    iconButton("close", t("close"), remove, { class: "plain" }));
  shown.set(key, note);
  document.getElementById("toasts").append(note);
  if (!stays) setTimeout(remove, kind === "bad" ? 12000 : 5000);
}

/** Options are called as the form calls them, and not as programs do. */
export const plain = (text) => text.replace(/`(\w+)(?:=\w+)?`/g, (whole, name) => (has(`option.${name}`) ? `“${t(`option.${name}`)}”` : whole));
const capital = (text) => text.charAt(0).toUpperCase() + text.slice(1);

/** The lines in which an error of the server is told. */
export function linesOf(facts) {
  const what = facts.what === "gone" ? t("lost") : capital(plain(facts.what));
  const lines = [];
  if (facts.where) lines.push(has(`option.${facts.where}`) ? `“${t(`option.${facts.where}`)}”` : facts.where);
  if (facts.expected) lines.push(t("error.expected", { text: plain(facts.expected) }));
  if (facts.got) lines.push(t("error.got", { text: facts.got }));
  if (facts.remedy) lines.push(t("error.remedy", { text: plain(facts.remedy) }));
  return [what, lines];
}

/** An error of the server as a part of the page. */
export function problemBox(facts) {
  const [what, lines] = linesOf(facts);
  return el("div", { class: "problem" }, glyph("warn"), el("div", {}, el("strong", {}, what), lines.map((l) => el("p", { class: "small" }, l))));
}

export function refusal(error) {
  if (error?.isGone) return;
  if (!error?.facts) {
    toast(String(error?.message ?? error), { kind: "bad" });
    throw error;
  }
  const [what, lines] = linesOf(error.facts);
  toast(what, { kind: "bad", more: lines });
}
