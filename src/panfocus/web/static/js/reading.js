// How a volume is read: axes, names of planes, tiles of a mosaic, where it does not say so itself.

import { post } from "./api.js";
import { el, field } from "./dom.js";
import { dialog } from "./dialog.js";
import { refresh, show, state } from "./store.js";
import { t } from "./texts.js";
import { refusal } from "./toast.js";

const EXAMPLES = { axes: "TCZYX", pattern: "img_{t}_{c}_{z}.tif" };

/** A control for each thing that can be said; what is chosen is put into `chosen`. */
function controls(ways, chosen) {
  return ways.map((way) => {
    const set = (value) => { if (value) chosen[way] = value; else delete chosen[way]; };
    const control = way === "mosaic"
      ? el("select", { on: { change: () => set(control.value) } }, ["", "whole", "tiles"].map((c) => el("option", { value: c, selected: c === (chosen[way] ?? "") }, t(c ? `read.mosaic.${c}` : "read.itself"))))
      : el("input", { type: "text", value: chosen[way] ?? "", placeholder: EXAMPLES[way], spellcheck: false, autocomplete: "off", on: { input: () => set(control.value.trim()) } });
    return field(t(`read.${way}`), control, t(`read.${way}.help`));
  });
}

async function open(address, body) {
  try {
    const { id } = await post(address, body);
    await refresh();
    await show(id);
    return true;
  } catch (error) { refusal(error); return false; }
}

/** What the stack that is shown can be read as; null where nothing can be said of it. */
export function readingSection() {
  const { id, reading } = state.stack;
  if (!reading.ways.length) return null;
  const chosen = { ...reading.told };
  const go = el("button", { type: "button", on: { click: async () => { go.disabled = true; if (!await open(`/api/stacks/${id}/reading`, { reading: chosen })) go.disabled = false; } } }, t("read.go"));
  return el("section", { class: "stack tight" }, el("h3", {}, t("read.title")), controls(reading.ways, chosen), el("div", { class: "row" }, go));
}

/** Ask how a file or folder is read, and open it so. */
export function openRead(path, name, ways) {
  const chosen = {};
  const go = el("button", { type: "button", class: "main", on: { click: async () => { if (await open("/api/stacks", { paths: [path], reading: chosen })) asked.close(); } } }, t("folder.open"));
  const asked = dialog(t("read.of", { name }), el("div", { class: "stack" }, controls(ways, chosen)), { foot: [el("button", { type: "button", on: { click: () => asked.close() } }, t("cancel")), go] });
}
