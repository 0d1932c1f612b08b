// Which numbers are black and white on the screen: for dim and for bright frames; only for looking.

import { post } from "./api.js";
import { calmInTurn, clear, el, field } from "./dom.js";
import { state, watch } from "./store.js";
import { number, t } from "./texts.js";
import { refusal } from "./toast.js";

const GAMMAS = [0.25, 4];
const PLAIN = { black: 0, white: 1, gamma: 1 };
const FULL = { uint8: 255, uint16: 65535 };

export function levelsPanel() {
  const body = el("div", { class: "stack tight" });
  const { id } = state.stack; // another one may be shown before the pause is over
  const send = calmInTurn((levels) => post(`/api/stacks/${id}/levels`, levels).catch(refusal), 200);
  let now = null;
  let held = false; // while a slider is moved, what the server says is older

  /** The brightest number that the sliders reach: dim frames get all of their length. */
  function most() {
    const found = state.stack.found_levels.white;
    return Math.min(Math.max(2 * found, now.white, 0.002), 1);
  }

  function slider(key, name, [low, high], to, from, say) {
    const out = el("output", { class: "number small quiet" }, say(now[key]));
    const input = el("input", { type: "range", min: 0, max: 1000, step: 1, value: String(Math.round(to(now[key], low, high) * 1000)),
      on: { input: () => { held = true; now = { ...now, ...fit(key, from(Number(input.value) / 1000, low, high)) }; out.textContent = say(now[key]); send(now); }, change: () => { held = false; } } });
    const made = field(name, input);
    made.firstChild.classList.add("row");
    made.firstChild.append(el("span", { class: "grow" }), out);
    return made;
  }

  /** Black stays below white. */
  function fit(key, value) {
    const step = 1 / 2048;
    if (key === "black") return { black: Math.max(Math.min(value, now.white - step), 0) };
    if (key === "white") return { white: Math.min(Math.max(value, now.black + step), 1) };
    return { gamma: Math.round(value * 100) / 100 };
  }

  function draw() {
    if (!state.stack || held) return;
    now = { ...state.stack.levels };
    const full = FULL[state.stack.results[0]?.dtype];
    const say = (v) => (full ? number(v * full) : `${number(v * 100, 2)} %`);
    const line = [(v, a, b) => (v - a) / (b - a), (v, a, b) => a + v * (b - a)];
    const curve = [(v, a, b) => Math.log(v / a) / Math.log(b / a), (v, a, b) => a * (b / a) ** v];
    const set = (levels) => send(levels);
    clear(body,
      slider("black", t("levels.black"), [0, most()], ...line, say), slider("white", t("levels.white"), [0, most()], ...line, say), slider("gamma", t("levels.gamma"), GAMMAS, ...curve, (v) => number(v, 2)),
      el("div", { class: "row" },
        el("button", { type: "button", class: "grow", title: t("levels.auto.help"), on: { click: () => set({ ...state.stack.found_levels }) } }, t("levels.auto")),
        el("button", { type: "button", class: "grow", title: t("levels.plain.help"), on: { click: () => set(PLAIN) } }, t("levels.plain"))),
      el("p", { class: "help" }, t("levels.help")));
  }

  let last = "";
  const again = () => {
    const key = JSON.stringify([state.stack?.levels, state.stack?.found_levels, state.stack?.results[0]?.dtype]);
    if (key === last) return;
    last = key;
    if (!body.contains(document.activeElement) || document.activeElement.tagName === "BUTTON") draw();
  };
  const stop = watch("stack", again);
  again();
  draw();
  return { node: body, leave: stop };
}
