// Save: what the command line writes, where to, and the line that does the same.

import { get, post, Refusal } from "./api.js";
import { anew, calmInTurn, clear, el, field, glyph, segments, tick } from "./dom.js";
import { confirm } from "./dialog.js";
import { nameOf } from "./look.js";
import { moreFields } from "./savemore.js";
import { hearStrokes, state, tell, viewOf, watch, results, current } from "./store.js";
import { t } from "./texts.js";
import { problemBox, refusal, toast } from "./toast.js";

const PICTURES = ["png", "jpg", "webp"];
const FORMATS = { photos: ["tif", "ome.tif", ...PICTURES], volume: ["ome.tif", "tif", "ome.zarr", ...PICTURES] };

export function savePanel() {
  const view = viewOf();
  const stack = state.stack;
  const wanted = (view.save ??= {
    name: `${stack.title.replace(/(\.ome)?\.[^.]+$/i, "")}_fused`, format: stack.volume ? "ome.tif" : "tif", folder: stack.folder, maps: [], quality: 95,
    height_map: false, layers: "", mesh: "", transforms: false, report: false, project: false, scale_bar: false, slab: null, only_shown: false, animation_size: 720, parallax: 3, pyramid: "auto", ome_zarr: "0.4",
  });
  let elsewhere = 0; // strokes at other places of a volume
  const body = el("div", { class: "stack" });
  const line = el("code", { class: "command", tabIndex: 0, "aria-label": t("save.command") });
  const problem = el("div", {});
  const done = el("div", {});
  const go = el("button", { type: "button", class: "main grow", on: { click: () => save() } }, glyph("save"), t("save.go"));
  const copy = el("button", { type: "button", on: { click: async () => { await navigator.clipboard.writeText(line.textContent); toast(t("save.copied")); } } }, glyph("copy"), t("save.copy"));

  // 0.4 is what is written where none is said, and other files have no version
  const version = () => (wanted.format.endsWith("zarr") && wanted.ome_zarr !== "0.4" ? wanted.ome_zarr : null);
  const request = (more = {}) => ({ result: current().id, ...wanted, ome_zarr: version(), pixel_um: viewOf().pixelUm ?? null, name: `${wanted.name}.${wanted.format}`, ...more });

  const ask = calmInTurn(async () => {
    const result = current();
    if (state.stack?.id !== stack.id || !result || result.id === "draft") return;
    try {
      const facts = await post(`/api/stacks/${stack.id}/save/line`, request());
      clear(line, facts.command.split(/( )/).map((word) => (word === " " ? word : el("span", { class: "word" }, word)))); // no option is parted from its dash
      if (facts.problem) say(facts.problem);
      else clear(problem, facts.standing.length && !done.firstChild ? el("p", { class: "small quiet" }, t("save.standing", { names: facts.standing.join(", ") })) : null);
      go.disabled = Boolean(facts.problem);
    } catch (error) { if (error instanceof Refusal) say(error.facts); go.disabled = true; }
  }, 120);

  function say(facts) {
    clear(problem, problemBox(facts));
  }

  async function save(overwrite = false) {
    try {
      await state.moving;
      if (state.stack?.id !== stack.id) return;
      const { standing, id } = await post(`/api/stacks/${stack.id}/save`, request({ overwrite }));
      if (!standing) go.disabled = !state.ended.has(id); // it may be done before that is answered
      else if (await confirm(t("save.replace.title"), t("save.replace", { names: standing.join(", ") }), t("save.replace.yes"))) await save(true);
    } catch (error) { refusal(error); }
  }

  const draw = () => anew(body, drawAll);

  function drawAll() {
    if (!state.stack) return;
    const result = current();
    if (!result || result.id === "draft") {
      clear(body, el("div", { class: "empty" }, glyph("save"), el("p", {}, t("save.first"))));
      return;
    }
    const mended = state.stack.strokes > 0 || elsewhere > 0;
    if (mended || result.is_part) wanted.project = true;
    const isVolume = Boolean(state.stack.volume);
    const set = (key, redraw = false) => (value) => { wanted[key] = value; clear(done); if (redraw) draw(); ask(); };
    const found = results().filter((r) => r.id !== "draft");
    const which = found.length > 1 ? field(t("save.result"), el("select", { on: { change: (e) => { view.result = e.target.value; view.a = null; tell("view"); draw(); } } }, found.map((r) => el("option", { value: r.id, selected: r.id === result.id }, nameOf(r))))) : null;
    const name = el("input", { type: "text", value: wanted.name, spellcheck: false, autocomplete: "off", on: { input: () => set("name")(name.value.trim()) } });
    const format = el("select", { "aria-label": t("save.format"), on: { change: () => set("format", true)(format.value) } }, FORMATS[isVolume ? "volume" : "photos"].map((f) => el("option", { value: f, selected: f === wanted.format }, `.${f}`)));
    const nameField = field(t("save.name"), name);
    const both = el("div", { class: "row name" }, format);
    nameField.append(both);
    both.prepend(name);
    const lossy = ["jpg", "webp"].includes(wanted.format);
    const quality = el("input", { type: "range", min: 50, max: 100, step: 1, value: wanted.quality, on: { input: () => { out.textContent = quality.value; set("quality")(Number(quality.value)); } } });
    const out = el("output", { class: "number small quiet" }, String(wanted.quality));
    const qualityField = field(t("save.quality"), quality);
    qualityField.firstChild.classList.add("row");
    qualityField.firstChild.append(el("span", { class: "grow" }), out);
    const maps = Object.keys(result.maps);
    const more = moreFields(wanted, set, { isVolume, hasDepth: Boolean(result.maps.depth), count: result.used.length });
    clear(body, which, isVolume && isPartOfMore() ? extent() : null, nameField, el("p", { class: "help cut", title: wanted.folder }, t("save.folder", { folder: wanted.folder })), lossy ? qualityField : null,
      maps.length ? el("section", { class: "stack tight" }, el("h3", {}, t("save.maps")), maps.map((m) => tick(t(`map.${m}`), wanted.maps.includes(m), (on) => { wanted.maps = maps.filter((k) => (k === m ? on : wanted.maps.includes(k))); ask(); }))) : null,
      el("section", { class: "stack tight" }, el("h3", {}, t("save.beside")), tick(t("save.project"), wanted.project, set("project"), t(mended ? "save.project.strokes" : result.is_part ? "save.project.part" : "save.project.help")), more),
      el("div", { class: "stack tight sticky" }, problem, done, el("div", { class: "row" }, go)),
      el("section", { class: "stack tight" }, el("h3", {}, t("save.command")), line, el("div", { class: "row" }, copy)));
    ask();
  }

  function isPartOfMore() {
    const { positions } = state.stack.volume;
    return positions.length > 1 || positions[0].times > 1 || positions[0].channels.length > 1;
  }

  function extent() {
    const choose = segments(t("save.extent"), [["all", t("save.all")], ["shown", t("save.shown")]], wanted.only_shown ? "shown" : "all", (value) => {
      wanted.only_shown = value === "shown";
      draw();
    });
    return el("section", { class: "stack tight" }, el("h3", {}, t("save.extent")), choose, el("p", { class: "help" }, t(wanted.only_shown ? "save.shown.help" : "save.volume")));
  }

  function finished(event) {
    if (event.stack !== state.stack?.id) return;
    go.disabled = false;
    const link = (path) => (state.stack.dropped ? el("a", { href: `/api/fetch?path=${encodeURIComponent(path)}`, download: "" }, path.split("/").at(-1)) : el("span", {}, path.split("/").at(-1)));
    clear(done, el("div", { class: "saved" }, glyph("check"), el("div", { class: "grow" }, el("strong", {}, t("save.done")), el("ul", {}, event.files.map((f) => el("li", { class: "small" }, link(f)))))));
    ask();
  }

  const stops = [watch("stack", draw), watch("saved", finished), watch("job", (job) => { if (job.kind === "save" && job.state !== "running" && job.state !== "waiting") go.disabled = false; })];
  draw();
  get(`/api/stacks/${stack.id}/strokes`).then((facts) => { if (hearStrokes({ ...facts, count: facts.strokes.length })) { elsewhere = facts.elsewhere; draw(); } }).catch(refusal);
  return { node: body, leave: () => { for (const stop of stops) stop(); } };
}
