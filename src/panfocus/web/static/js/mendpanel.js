// Mend: tools, what is painted from, strokes that are there; and the keys of painting.

import { get } from "./api.js";
import { anew, clear, el, field, glyph, segments, tick } from "./dom.js";
import { Mender } from "./mender.js";
import { canBeMended, hearStrokes, state, tell, viewOf, watch, results, current } from "./store.js";
import { number, t } from "./texts.js";
import { redo, tools, undo } from "./tools.js";
import { refusal } from "./toast.js";

const SIZES = [2, 2000];

export function mendPanel() {
  const body = el("div", { class: "stack" });
  let isSaved = true;
  let asked = null; // the result that was asked about
  let missing = 0; // strokes that do not lie on the result that is shown

  let asking = 0;
  async function ask() {
    if (!state.stack) return;
    asked = current()?.id;
    asking += 1;
    const mine = asking;
    const facts = await get(`/api/stacks/${state.stack.id}/strokes?result=${asked ?? ""}`);
    if (mine !== asking || !hearStrokes({ ...facts, count: facts.strokes.length })) return;
    missing = facts.missing;
    isSaved = facts.is_saved;
    draw();
  }

  function range(value, [low, high], act, log = false) {
    const to = (v) => (log ? Math.log(v) : v);
    const from = (v) => (log ? Math.exp(v) : v);
    const out = el("output", { class: "number small quiet" });
    const say = (v) => { out.textContent = log ? `${number(v, v < 10 ? 1 : 0)} px` : `${number(v * 100)} %`; };
    const input = el("input", { type: "range", min: to(low), max: to(high), step: "any", value: to(value), on: { input: () => { const v = from(Number(input.value)); say(v); act(v); } } });
    say(value);
    return [input, out];
  }

  function labelled(label, [input, out]) {
    const made = field(label, input);
    made.firstChild.classList.add("row");
    made.firstChild.append(el("span", { class: "grow" }), out);
    return made;
  }

  function sources() {
    const result = current();
    const systems = [...new Set(results().filter((r) => r.id !== "draft" && r.system !== result.system && r.width === result.width && r.height === result.height).map((r) => r.system))];
    const select = el("select", { on: { change: () => { tools.source = select.value; tell("tool"); } } },
      result.maps.index ? el("option", { value: "sharpest", selected: tools.source === "sharpest" }, t("mend.sharpest")) : null,
      systems.map((s) => el("option", { value: `system:${s}`, selected: tools.source === `system:${s}` }, t("mend.system", { name: s }))),
      result.used.map((n) => el("option", { value: String(n), selected: tools.source === String(n) }, t("frame.option", { number: n + 1, name: state.stack.frames[n].name }))));
    if (![...select.options].some((o) => o.value === tools.source)) { tools.source = select.options[0].value; }
    return field(t("mend.source"), select, t("mend.source.help"));
  }

  const draw = () => anew(body, drawAll);

  function drawAll() {
    const result = current();
    if (!state.stack) return;
    if (!canBeMended(result)) {
      const why = result && result.guide !== null ? t("mend.guided") : t("mend.first");
      clear(body, el("div", { class: "empty" }, glyph("brush"), el("p", {}, why)));
      return;
    }
    const choose = segments(t("mend.tool"), [["none", t("mend.none")], ["brush", t("mend.brush")], ["rectangle", t("mend.rectangle")], ["eraser", t("mend.eraser")]], tools.tool, (value) => { tools.tool = value; tell("tool"); draw(); });
    const canUndo = state.stack.strokes > 0;
    const canRedo = tools.undone.some((s) => s.stack === state.stack.id);
    clear(body,
      el("section", { class: "stack tight" }, el("h3", {}, t("mend.tool")), choose),
      tools.tool === "none" ? el("p", { class: "quiet small" }, t("mend.help")) : [
        tools.tool === "eraser" ? null : sources(),
        labelled(t(tools.tool === "rectangle" ? "mend.border" : "mend.size"), range(tools.radius, SIZES, (v) => { tools.radius = v; tell("tool"); }, true)),
        tools.tool === "rectangle" ? null : labelled(t("mend.hardness"), range(tools.hardness, [0, 1], (v) => { tools.hardness = v; tell("tool"); })),
        labelled(t("mend.opacity"), range(tools.opacity, [0.05, 1], (v) => { tools.opacity = v; })),
        tools.tool === "eraser" ? null : tick(t("mend.match"), tools.match, (on) => { tools.match = on; }, t("mend.match.help")),
        el("p", { class: "quiet small" }, t("mend.keys")),
      ],
      el("section", { class: "stack tight" }, el("h3", {}, t("mend.strokes")),
        el("div", { class: "row" },
          el("button", { type: "button", class: "grow", disabled: !canUndo, title: "Ctrl Z", on: { click: () => undo() } }, glyph("undo"), t("mend.undo")),
          el("button", { type: "button", class: "grow", disabled: !canRedo, title: "Ctrl Shift Z", on: { click: () => redo() } }, glyph("redo"), t("mend.redo"))),
        el("p", { class: "quiet small" }, canUndo ? t(isSaved ? "mend.saved" : "mend.unsaved", { count: state.stack.strokes }) : t("mend.nostrokes")),
        canUndo && missing ? el("p", { class: "small warning" }, t("mend.missing", { count: missing })) : null));
  }

  const stops = [watch("mended", () => { ask().catch(refusal); }), watch("stack", () => { ask().catch(refusal); }), watch("toolkeys", draw),
    watch("view", () => { if (current()?.id !== asked) ask().catch(refusal); }),
    watch("strokes", (event) => { if (event.id === state.stack?.id) ask().catch(refusal); })];
  draw();
  ask().catch(refusal);
  return { node: body, leave: () => { asking += 1; for (const stop of stops) stop(); queueMicrotask(() => tell("tool")); } };
}

/** Put the brush onto a stage, and give it its keys. */
export function attachMending(stage, screen) {
  const mender = new Mender(stage, screen);
  watchTab(mender);
  const typing = (target) => target.matches?.("input:not([type=range]):not([type=checkbox]),textarea,select");
  const down = (event) => {
    if (!screen.isConnected) { removeEventListener("keydown", down, true); removeEventListener("keyup", up, true); return; }
    if (viewOf().tab !== "mend" || typing(event.target) || document.querySelector("dialog[open]")) return;
    if (act(event)) { event.preventDefault(); event.stopImmediatePropagation(); }
  };
  function act(event) {
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if ((event.ctrlKey || event.metaKey) && key === "z") { (event.shiftKey ? redo : undo)(); return true; }
    if ((event.ctrlKey || event.metaKey) && key === "y") { redo(); return true; }
    if (event.ctrlKey || event.metaKey || event.altKey) return false;
    const pick = { b: "brush", r: "rectangle", e: "eraser", Escape: "none" }[key];
    if (pick) { tools.tool = pick; return changed(); }
    if (tools.tool === "none") return false;
    const onStage = screen.contains(event.target) || event.target === document.body;
    switch (event.key) {
      case "[": case "]": tools.radius = Math.min(Math.max(tools.radius * (event.key === "[" ? 1 / 1.15 : 1.15), SIZES[0]), SIZES[1]); return changed();
      case "{": case "}": tools.hardness = Math.round(Math.min(Math.max(tools.hardness + (event.key === "{" ? -0.1 : 0.1), 0), 1) * 10) / 10; return changed();
      case "x": case "X": if (!event.repeat) { mender.peeking = true; mender.peek(true); } return true;
      case " ": if (!onStage) return false; tools.panning = true; tell("tool"); return true;
      case "Enter": if (!onStage) return false; mender.dab(); return true;
      case "ArrowUp": case "ArrowDown": return onStage && stepFrame(event.key === "ArrowUp" ? -1 : 1);
      default: return false;
    }
  }
  function changed() { tell("tool"); tell("toolkeys"); return true; }
  function stepFrame(by) {
    const { used } = current() ?? { used: [] };
    if (tools.tool === "eraser" || !used.length) return false;
    const from = /^\d+$/.test(tools.source) ? Number(tools.source) : stage.under?.frame ?? used[0];
    const at = Math.max(used.indexOf(from), 0);
    tools.source = String(used[Math.min(Math.max(at + by, 0), used.length - 1)]);
    if (mender.peeking) mender.peek(true);
    return changed();
  }
  const up = (event) => {
    if (event.key === " " && tools.panning) { tools.panning = false; tell("tool"); }
    if (event.key.toLowerCase() === "x" && mender.peeking) { mender.peeking = false; mender.peek(false); }
  };
  addEventListener("keydown", down, true);
  addEventListener("keyup", up, true);
}

function watchTab(mender) {
  const stop = watch("tab", () => mender.settle());
  mender.stops.push(stop);
}
