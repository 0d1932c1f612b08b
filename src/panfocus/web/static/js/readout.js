// Over the stage: the wipe's handle, what is under the pointer, the colour bar of a map.

import { get } from "./api.js";
import { calm, clear, el } from "./dom.js";
import { state, viewOf, watch, current } from "./store.js";
import { pictureA, pictureB } from "./look.js";
import { number, t } from "./texts.js";
import { pixelSize, scaleBar } from "./scalebar.js";

export function readout(stage, screen) {
  const handle = el("div", { class: "wipe", role: "slider", tabIndex: 0, "aria-label": t("look.wipe.handle"), "aria-valuemin": 0, "aria-valuemax": 100 }, el("span", {}));
  const value = el("output", { class: "value number small", hidden: true });
  const bar = el("figure", { class: "colours small", hidden: true });
  const tags = [el("span", { class: "tag left small" }), el("span", { class: "tag right small" })];

  function move(share) {
    const view = viewOf();
    view.share = Math.min(Math.max(share, 0), 1);
    stage.share = view.share;
    stage.arrange();
  }
  handle.addEventListener("pointerdown", (event) => {
    handle.setPointerCapture(event.pointerId);
    event.preventDefault();
    handle.focus();
  });
  handle.addEventListener("pointermove", (event) => {
    if (!handle.hasPointerCapture(event.pointerId)) return;
    const box = screen.getBoundingClientRect();
    move((event.clientX - box.left) / box.width);
  });
  handle.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    move(viewOf().share + by);
  });

  let drawn = "";
  function arrange() {
    if (!state.stack) return;
    const view = viewOf();
    const two = view.mode === "wipe" || view.mode === "side";
    const names = two ? [say(pictureA()), say(pictureB())] : [];
    const key = JSON.stringify([view.mode, view.share, view.overlay, current()?.id, names, state.stack.key]);
    if (key === drawn) return; // as for every frame that is panned
    drawn = key;
    handle.hidden = view.mode !== "wipe";
    handle.style.left = `${view.share * 100}%`;
    handle.setAttribute("aria-valuenow", String(Math.round(view.share * 100)));
    tags.forEach((tag, n) => { tag.hidden = !two; tag.textContent = names[n] ?? ""; });
    drawBar();
  }

  function drawBar() {
    const view = viewOf();
    const map = view.overlay === "none" ? null : current()?.maps[view.overlay];
    bar.hidden = !map;
    if (!map || bar.dataset.of === JSON.stringify([view.overlay, map.low, map.high])) return;
    bar.dataset.of = JSON.stringify([view.overlay, map.low, map.high]);
    const canvas = el("canvas", { width: map.colours.length, height: 1, "aria-hidden": "true" });
    const pen = canvas.getContext("2d");
    map.colours.forEach((colour, n) => { pen.fillStyle = colour; pen.fillRect(n, 0, 1, 1); });
    const shift = view.overlay === "confidence" || map.unit === "µm" ? 0 : 1;
    const ends = [map.low + shift, map.high + shift].map((v) => number(v, view.overlay === "confidence" ? 2 : 1));
    clear(bar, el("figcaption", {}, `${t(`map.${view.overlay}`)}${map.unit ? ` (${t(`unit.${map.unit}`)})` : ""}`), canvas,
      el("div", { class: "row number" }, el("span", {}, ends[0]), el("span", { class: "grow" }), el("span", {}, ends[1])));
  }

  let asked = 0;
  const ask = calm(async (at) => {
    const result = current();
    if (!result || !state.stack) return;
    const a = pictureA();
    // the pointer is in pixels of picture A: into those of the result
    const scale = (a.scale ?? 1) * (result.frame.width / state.stack.width);
    const x = Math.floor(((a.left ?? 0) * (result.frame.width / state.stack.width)) + at.x * scale - result.field.left);
    const y = Math.floor(((a.top ?? 0) * (result.frame.width / state.stack.width)) + at.y * scale - result.field.top);
    if (x < 0 || y < 0 || x >= result.width || y >= result.height) { value.hidden = true; return; }
    asked += 1;
    const mine = asked;
    const facts = await get(`/api/stacks/${state.stack.id}/value/${result.id}?x=${x}&y=${y}`).catch(() => null);
    if (!facts || mine !== asked || !state.stack) return;
    const place = [at.x * (a.scale ?? 1) + (a.left ?? 0), at.y * (a.scale ?? 1) + (a.top ?? 0)].map(Math.floor);
    const size = pixelSize();
    const parts = [place.map((v) => number(v)).join(" · ")];
    if (size) parts.push(`${place.map((v, n) => number((v + 0.5) * size[n], size[n] < 0.1 ? 2 : 1)).join(" · ")} µm`);
    if ("frame" in facts) parts.push(t("value.frame", { number: facts.frame + 1 }));
    if (facts.depth !== undefined && facts.depth !== null) {
      parts.push(t("value.depth", { depth: facts.unit === "µm" ? `${number(facts.depth, 2)} µm` : number(facts.depth + 1, 2) }));
    }
    if ("confidence" in facts) parts.push(t("value.confidence", { share: number(facts.confidence * 100) }));
    if (facts.rgb) parts.push(facts.rgb.map((v) => (Number.isInteger(v) ? v : number(v, 3))).join(" "));
    value.textContent = parts.join("   ");
    value.hidden = false;
    stage.under = facts;
  }, 70);

  let under = null; // where the pointer rests: what it shows may change without it
  const stops = [
    watch("arranged", arrange), watch("stack", arrange), watch("view", arrange),
    watch("hover", (at) => { under = at; if (at) ask(at); else { asked += 1; value.hidden = true; } }),
    watch("strokes", () => { if (under) ask(under); }),
  ];
  const stop = watch("shown", () => { for (const end of [...stops, stop]) end(); });
  arrange();
  return el("div", { class: "over" }, handle, ...tags, el("div", { class: "corner" }, scaleBar(stage), bar), value);
}

/** What a picture is called where little room is. */
export function say(picture) {
  if (!picture) return "";
  const frame = /^frame-(\d+)/.exec(picture.name);
  if (frame) return t("frame.short", { number: Number(frame[1]) + 1 });
  const result = state.stack.results.find((r) => r.id === picture.name.split("-")[0]);
  return result?.id === "draft" ? t("result.draft") : result?.name ?? "";
}
