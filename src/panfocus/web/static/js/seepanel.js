// See: maps over the picture, histogram, height in three dimensions.

import { get } from "./api.js";
import { anew, clear, el, field, glyph, segments, tick } from "./dom.js";
import { pictureA } from "./look.js";
import { pixelField } from "./savemore.js";
import { state, tell, viewOf, watch, current } from "./store.js";
import { number, t } from "./texts.js";
import { showSurface } from "./surface.js";
import { refusal } from "./toast.js";
import { levelsPanel } from "./levelspanel.js";

export function seePanel() {
  const view = viewOf();
  const canvas = el("canvas", { width: 512, height: 160, class: "histogram", role: "img", "aria-label": t("histogram") });
  const about = el("div", {});
  const overlays = el("div", {});
  let counted = "";

  const drawOverlays = () => anew(overlays, drawMaps);

  function drawMaps() {
    const result = current();
    const maps = result ? Object.keys(result.maps) : [];
    if (!maps.length) { clear(overlays, el("p", { class: "quiet small" }, t("see.nomaps"))); return; }
    const choose = segments(t("see.overlay"), [["none", t("see.none")], ...maps.map((m) => [m, t(`map.${m}`)])], view.overlay, (value) => { view.overlay = value; tell("view"); });
    const slider = el("input", { type: "range", min: 0, max: 1, step: 0.05, value: view.overlayOpacity, on: { input: () => { view.overlayOpacity = Number(slider.value); tell("view"); } } });
    clear(overlays, el("div", { class: "stack tight" }, choose, field(t("see.opacity"), slider), tick(t("see.fade"), view.fades, (on) => { view.fades = on; tell("view"); })));
  }

  async function drawHistogram() {
    const picture = pictureA();
    if (!picture || !state.stack) return;
    const key = `${state.stack.id}/${picture.name}/${picture.version}`;
    if (key === counted) return;
    counted = key;
    let channels;
    try {
      ({ channels } = await get(`/api/stacks/${state.stack.id}/histogram/${encodeURIComponent(picture.name)}?v=${picture.version}`));
    } catch (error) {
      if (counted !== key) return; // of what is not shown any more
      counted = "";
      throw error;
    }
    if (counted !== key) return;
    const pen = canvas.getContext("2d");
    pen.clearRect(0, 0, 512, 160);
    const inner = channels.flatMap((c) => c.slice(1, 255));
    const straight = Math.max(...inner, 1);
    // where nearly all has one level, as the dark ground of fluorescence, the rest is seen by logarithms
    const isSteep = inner.filter((v) => v > 0.02 * straight).length < 0.05 * inner.length;
    const high = (v) => (isSteep ? Math.log1p(v) / Math.log1p(straight) : v / straight);
    const colours = channels.length === 1 ? [getComputedStyle(canvas).color] : ["#e5484d", "#30a46c", "#3e8bff"];
    pen.globalCompositeOperation = channels.length === 1 ? "source-over" : document.documentElement.dataset.theme === "dark" ? "lighter" : "multiply";
    channels.forEach((channel, n) => {
      pen.globalAlpha = 0.75;
      pen.fillStyle = colours[n];
      pen.beginPath();
      pen.moveTo(0, 160);
      channel.forEach((v, x) => { pen.lineTo(x * 2, 160 - Math.min(high(v), 1) * 156); pen.lineTo(x * 2 + 2, 160 - Math.min(high(v), 1) * 156); });
      pen.lineTo(512, 160);
      pen.fill();
    });
    const total = channels[0].reduce((a, b) => a + b, 0);
    const black = Math.max(...channels.map((c) => c[0])) / total;
    const white = Math.max(...channels.map((c) => c[255])) / total;
    canvas.title = t("histogram.clipped", { black: number(black * 100, 2), white: number(white * 100, 2) });
  }

  function drawAbout() {
    const result = current();
    if (!result) { clear(about); return; }
    const rows = [
      [t("about.size"), `${result.width} × ${result.height}`],
      [t("about.bits"), { uint8: "8 bit", uint16: "16 bit", float32: "32 bit" }[result.dtype] ?? result.dtype],
      [t("about.frames"), `${result.used.length}`],
      [t("about.seconds"), `${number(result.seconds, 1)} s`],
    ];
    clear(about, el("dl", { class: "facts small number" }, rows.map(([k, v]) => [el("dt", {}, k), el("dd", {}, v)])));
  }

  const solid = el("button", { type: "button", on: { click: () => { const r = current(); if (r?.maps.depth) showSurface(r).catch(refusal); } } }, glyph("cube"), t("see.solid"));
  function drawSolid() { solid.disabled = !current()?.maps.depth; }
  const inPlace = tick(t("see.inplace"), view.inPlace, (on) => { view.inPlace = on; if (view.a?.startsWith("frame-")) view.a = null; tell("view"); }, t("see.inplace.help"));

  const all = () => { drawOverlays(); drawAbout(); drawSolid(); drawHistogram().catch(refusal); };
  let last = "";
  const again = () => {
    const key = JSON.stringify([current()?.id, pictureA()?.name, pictureA()?.version, view.overlay]);
    if (key !== last) { last = key; all(); }
  };
  const levels = levelsPanel();
  const stops = [watch("stack", again), watch("view", again), levels.leave];
  again();
  const node = el("div", { class: "stack" },
    el("section", { class: "stack tight" }, el("h3", {}, t("see.overlay")), overlays),
    el("section", { class: "stack tight" }, el("h3", {}, t("histogram")), canvas, about),
    el("section", { class: "stack tight" }, el("h3", {}, t("levels")), levels.node),
    el("section", { class: "stack tight" }, el("h3", {}, t("see.depth")), solid),
    el("section", { class: "stack tight" }, el("h3", {}, t("scale")), pixelField(() => tell("view")), tick(t("scale.show"), view.showsScale !== false, (on) => { view.showsScale = on; tell("view"); })),
    inPlace);
  return { node, leave: () => { for (const stop of stops) stop(); } };
}
