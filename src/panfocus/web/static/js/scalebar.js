// A scale bar on the stage, as long as the zoom has it, where the size of a pixel is known.

import { el } from "./dom.js";
import { state, viewOf, watch } from "./store.js";
import { number, t } from "./texts.js";

const LONGEST = 160;

/** Width and height of a pixel of the frames in µm: as told on the page, or by the file; else null. */
export function pixelSize() {
  const told = viewOf().pixelUm;
  if (told) return [told, told];
  const found = state.stack?.pixel_um;
  return found ? [found[1], found[0]] : null;
}

/** The longest of 1, 2, 5 times a power of ten that is not longer. */
export function roundLength(most) {
  const power = 10 ** Math.floor(Math.log10(most));
  return [5, 2, 1].map((n) => n * power).find((length) => length <= most * (1 + 1e-9)) ?? power;
}

export function inWords(um) {
  const [unit, size] = [["m", 1e6], ["mm", 1e3], ["µm", 1]].find(([, least]) => um >= least) ?? ["nm", 1e-3];
  return `${number(um / size, 3)} ${unit}`;
}

export function scaleBar(stage) {
  const line = el("span", { class: "line" });
  const text = el("span", { class: "number small" });
  const bar = el("figure", { class: "scale", hidden: true, role: "img" }, text, line);
  let drawn = "";
  function draw() {
    const size = state.stack ? pixelSize() : null;
    const isShown = Boolean(size && viewOf().showsScale !== false && stage.shown("a"));
    bar.hidden = !isShown;
    if (!isShown) return;
    const pixels = stage.frameScale; // of the page for a pixel of a frame
    const length = roundLength((LONGEST / pixels) * size[0]);
    const wide = `${((length / size[0]) * pixels).toFixed(1)}px`;
    if (drawn === `${length} ${wide}`) return;
    drawn = `${length} ${wide}`;
    line.style.width = wide;
    text.textContent = inWords(length);
    bar.setAttribute("aria-label", `${t("scale")}: ${text.textContent}`);
  }
  const stops = [watch("arranged", draw), watch("stack", draw), watch("view", draw), watch("moved", draw)];
  const stop = watch("shown", () => { for (const end of [...stops, stop]) end(); });
  return bar;
}
