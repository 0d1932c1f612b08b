// What can be saved beside the picture: layers, animations, heights, slabs, a scale bar.

import { el, field, tick } from "./dom.js";
import { pixelSize } from "./scalebar.js";
import { viewOf } from "./store.js";
import { t } from "./texts.js";

const LEAST_SLAB = 2;

/** @param wanted what is saved; `set(key, redraw)` returns what takes a value. */
export function moreFields(wanted, set, { isVolume, hasDepth, count }) {
  const choose = (key, values, none) => el("select", { on: { change: (event) => set(key, true)(event.target.value) } }, ["", ...values].map((v) => el("option", { value: v, selected: v === wanted[key] }, v ? `.${v}` : none)));
  const box = (key, label = `save.${key}`, help = "") => tick(t(label), Boolean(wanted[key]), set(key, true), help);
  const ofFrames = [field(t("save.layers"), choose("layers", ["psd", "tif", "psb"], t("save.nolayers"))), field(t("save.animation"), choose("animation", ["webp", "gif"], t("save.nolayers"))), field(t("save.rocking"), choose("rocking", ["webp", "gif"], t("save.nolayers"))), box("stereo")];
  return [
    isVolume ? null : ofFrames,
    hasDepth ? [box("height_map", "save.heightmap"), field(t("save.mesh"), choose("mesh", ["glb", "ply", "obj"], t("save.nomesh")))] : null,
    box("scale_bar", "save.scalebar", pixelSize() ? "" : t("save.scalebar.help")),
    wanted.mesh || wanted.scale_bar ? pixelField(set("pixel", true)) : null,
    slabs(wanted, set, count),
    isVolume ? null : box("transforms"), box("report"),
  ];
}

/** The size of a pixel, for the bar on the screen and all that is saved. */
export function pixelField(changed) {
  const known = pixelSize();
  const input = el("input", { type: "number", min: 0, step: "any", value: known ? String(Number(known[0].toPrecision(6))) : "", on: { change: () => {
    const value = Number(input.value);
    viewOf().pixelUm = input.value !== "" && value > 0 ? value : null;
    changed();
  } } });
  return field(t("save.pixel"), input);
}

function slabs(wanted, set, count) {
  const isOn = Boolean(wanted.slab);
  const first = [Math.max(Math.min(Math.round(count / 3), count), LEAST_SLAB), 1];
  const box = tick(t("save.slab"), isOn, (on) => set("slab", true)(on ? first : null), t("save.slab.help"));
  if (!isOn) return box;
  const part = (n, label, least) => {
    const input = el("input", { type: "number", min: least, max: count, step: 1, value: wanted.slab[n], on: { input: () => {
      const next = [...wanted.slab];
      next[n] = Number(input.value);
      if (Number.isInteger(next[n]) && next[n] >= least) set("slab")(next);
    } } });
    return field(label, input);
  };
  return [box, el("div", { class: "row halves" }, part(0, t("save.slab.size"), LEAST_SLAB), part(1, t("save.slab.overlap"), 0))];
}
