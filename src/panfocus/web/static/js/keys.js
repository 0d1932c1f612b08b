// What the keyboard does on the stage; mending has keys of its own (mendpanel.js).

import { el } from "./dom.js";
import { state, tell, viewOf } from "./store.js";
import { dialog } from "./dialog.js";
import { step } from "./strip.js";
import { t } from "./texts.js";

const LOOK = [["← ↑ → ↓", "keys.pan"], ["+ −", "keys.zoom"], ["0", "keys.fit"], ["1", "keys.full"], [", .", "keys.frame"], ["F", "keys.result"], ["H", "keys.hold"], ["W", "keys.wipe"], ["D", "keys.depth"], ["?", "keys.help"]];
const MEND = [["[ ]", "keys.size"], ["{ }", "keys.hardness"], ["X", "keys.source"], ["↑ ↓", "keys.mendframe"], ["Space", "keys.space"], ["Ctrl Z", "keys.undo"], ["Ctrl Shift Z", "keys.redo"], ["B R E", "keys.tools"], ["Enter", "keys.dab"], ["Esc", "keys.leave"]];

export function showKeys() {
  dialog(t("keys.title"), keysHelp());
}

function keysHelp() {
  const table = (rows) => el("dl", { class: "keys" }, rows.map(([key, text]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, t(text))]));
  return el("div", { class: "stack" }, el("h3", {}, t("keys.look")), table(LOOK), el("h3", {}, t("keys.mend")), table(MEND));
}

const typing = (target) => target.matches?.("input:not([type=range]):not([type=checkbox]),textarea,select");

export function attachKeys(stage, screen) {
  const PAN = { ArrowLeft: [-80, 0], ArrowRight: [80, 0], ArrowUp: [0, -80], ArrowDown: [0, 80] };
  const down = (event) => {
    if (!screen.isConnected) { removeEventListener("keydown", down); removeEventListener("keyup", up); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || document.querySelector("dialog[open]")) return;
    const view = viewOf();
    const onStage = screen.contains(event.target) || event.target === document.body;
    if (onStage && PAN[event.key] && !event.defaultPrevented) { stage.panBy(...PAN[event.key]); event.preventDefault(); return; }
    const acts = {
      "+": () => stage.zoomBy(1.5), "=": () => stage.zoomBy(1.5), "-": () => stage.zoomBy(1 / 1.5),
      0: () => stage.fit(), 1: () => stage.zoom(1), ",": () => step(-1), ".": () => step(1),
      f: () => { view.a = view.a ? null : `frame-${view.frame}`; tell("view"); },
      w: () => { view.mode = view.mode === "wipe" ? "single" : "wipe"; tell("view"); },
      d: () => { view.overlay = view.overlay === "depth" ? "none" : "depth"; tell("view"); },
      "?": showKeys,
      h: () => { if (!event.repeat) { view.mode = "hold"; view.held = true; tell("view"); } },
    };
    const act = acts[event.key.toLowerCase()];
    if (act && state.stack) { act(); event.preventDefault(); }
  };
  const up = (event) => {
    if (event.key.toLowerCase() === "h" && screen.isConnected && state.stack) { viewOf().held = false; tell("view"); }
  };
  addEventListener("keydown", down);
  addEventListener("keyup", up);
}
