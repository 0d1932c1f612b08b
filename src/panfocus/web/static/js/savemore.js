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
  const amount = (label, key, [min, max], step, help = "") => {
    const input = el("input", { type: "number", min, max, step, value: wanted[key], on: { input: () => { if (input.value !== "" && input.checkValidity()) set(key)(Number(input.value)); } } });
    return field(t(label), input, help);
  };
  const ofFrames = [field(t("save.layers"), choose("layers", ["psd", "tif", "psb"], t("save.nolayers"))), field(t("save.animation"), choose("animation", ["webp", "gif"], t("save.nolayers"))), field(t("save.rocking"), choose("rocking", ["webp", "gif"], t("save.nolayers"))), box("stereo")];
  return [
    isVolume ? inFile(wanted, set) : [ofFrames, wanted.animation || wanted.rocking ? amount("save.size", "animation_size", [64, 4096], 1) : null, wanted.stereo || wanted.rocking ? amount("save.parallax", "parallax", [0.1, 20], "any", t("save.parallax.help")) : null],
    hasDepth ? [box("height_map", "save.heightmap"), field(t("save.mesh"), choose("mesh", ["glb", "ply", "obj"], t("save.nomesh")))] : null,
    box("scale_bar", "save.scalebar", pixelSize() ? "" : t("save.scalebar.help")),
    wanted.mesh || wanted.scale_bar ? pixelField(set("pixel", true)) : null,
    slabs(wanted, set, count),
    isVolume ? null : box("transforms"), box("report"),
  ];
}

/** How the planes of a volume lie in their file. */
function inFile(wanted, set) {
  if (!/^(ome\.)?(tif|zarr)$/.test(wanted.format)) return null;
  const choose = (key, choices) => el("select", { on: { change: (event) => set(key)(event.target.value) } }, choices.map(([value, text]) => el("option", { value, selected: value === wanted[key] }, text)));
  return [
    wanted.format.endsWith("zarr") ? field(t("save.zarr"), choose("ome_zarr", ["0.4", "0.5"].map((v) => [v, v]))) : null,
    field(t("save.pyramid"), choose("pyramid", ["auto", "on", "off"].map((v) => [v, t(`save.pyramid.${v}`)])), t("save.pyramid.help")),
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
