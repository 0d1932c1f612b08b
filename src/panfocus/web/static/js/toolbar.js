// Above the stage: what is looked at, against what, how; zoom.

import { clear, el, iconButton, segments } from "./dom.js";
import { state, tell, viewOf, watch } from "./store.js";
import { choices, dress, pictureA, pictureB } from "./look.js";
import { t } from "./texts.js";

const MODES = ["single", "wipe", "side", "blend", "hold"];

function chooser(label, chosen, act) {
  const { results, frames } = choices();
  const option = ([value, text]) => el("option", { value, selected: value === chosen }, text);
  return el("select", { "aria-label": label, title: label, on: { change: (event) => act(event.target.value) } },
    results.length ? el("optgroup", { label: t("look.results") }, results.map(option)) : null,
    el("optgroup", { label: t("look.frames") }, frames.map(option)));
}

export function toolbar(stage) {
  const bar = el("div", { class: "toolbar row wrap", role: "toolbar", "aria-label": t("look.toolbar") });
  const zoom = el("span", { class: "number small quiet zoom" });
  const update = () => { dress(stage); draw(); };

  function draw() {
    if (!state.stack) return;
    const view = viewOf();
    const a = pictureA();
    const b = pictureB();
    const held = document.activeElement?.closest?.(".toolbar") ? document.activeElement.getAttribute("aria-label") ?? document.activeElement.dataset.value : null;
    const modes = segments(t("look.mode"), MODES.map((m) => [m, t(`look.${m}`), t(`look.${m}.help`)]), view.mode, (mode) => { view.mode = mode; view.held = false; update(); });
    const chosenA = chooser(t("look.a"), a?.name, (value) => { view.a = value; const frame = /^frame-(\d+)/.exec(value); if (frame) view.frame = Number(frame[1]); tell("view"); draw(); });
    const chosenB = view.mode === "single" ? null : chooser(t("look.b"), b?.name, (value) => { view.b = value; update(); });
    const hold = view.mode === "hold" ? el("button", { type: "button", on: {
      pointerdown: () => press(true), pointerup: () => press(false), pointerleave: () => press(false),
      keydown: (event) => { if (event.key === " " || event.key === "Enter") press(true); }, keyup: () => press(false),
    } }, t("look.press")) : null;
    const share = view.mode === "blend" ? el("input", { type: "range", min: 0, max: 1, step: 0.01, value: view.share, "aria-label": t("look.share"), class: "short", on: { input: (event) => { view.share = Number(event.target.value); stage.opacity("b", view.share); } } }) : null;
    clear(bar, el("div", { class: "row pair" }, chosenA, chosenB), modes, hold, share,
      el("div", { class: "grow" }),
      el("div", { class: "row zooms" },
        iconButton("minus", t("zoom.out"), () => stage.zoomBy(1 / 1.5), { class: "plain" }), zoom,
        iconButton("plus", t("zoom.in"), () => stage.zoomBy(1.5), { class: "plain" }),
        iconButton("fit", t("zoom.fit"), () => stage.fit(), { class: "plain" }),
        el("button", { type: "button", class: "plain", title: t("zoom.full"), on: { click: () => stage.zoom(1) } }, "1:1")));
    if (held) [...bar.querySelectorAll("button,select")].find((n) => (n.getAttribute("aria-label") ?? n.dataset.value) === held)?.focus();
  }
  function press(on) {
    viewOf().held = on;
    stage.opacity("b", on ? 1 : 0);
  }
  const stops = [watch("stack", draw), watch("view", draw), watch("moved", () => {
    zoom.textContent = `${Math.round(stage.ratio * 100)} %`;
  })];
  const stop = watch("shown", () => { for (const end of [...stops, stop]) end(); });
  draw();
  return bar;
}
