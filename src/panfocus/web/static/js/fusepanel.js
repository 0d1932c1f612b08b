// Fuse: subject, system, options in groups with a line of help each, progress, results.

import { del, get, post } from "./api.js";
import { anew, clear, el, field, glyph, iconButton, newId, tick } from "./dom.js";
import { channelsShown, nameOf } from "./look.js";
import { readingSection } from "./reading.js";
import { hearJob, state, tell, viewOf, watch, results, current } from "./store.js";
import { has, number, t } from "./texts.js";
import { plain, refusal, toast } from "./toast.js";

const useOf = (system) => (has(`system.${system.name}`) ? t(`system.${system.name}`) : system.use);
const helpOf = (option) => (has(`option.${option.name}.help`) ? t(`option.${option.name}.help`) : option.help);

export function fusePanel(stage) {
  const view = viewOf();
  const progress = el("div", { class: "stack tight" });
  const list = el("div", { class: "stack tight" });
  const form = el("div", { class: "stack" });
  const guides = el("div", {});
  const go = el("button", { type: "button", class: "main grow", on: { click: () => fuse() } }, t("fuse.go"));
  const part = el("button", { type: "button", title: t("fuse.part.help"), on: { click: () => fuse(true) } }, t("fuse.part"));

  const { id } = state.stack;
  let asking = false;

  async function fuse(isPart = false) {
    if (asking) return; // a second click before the first is answered
    const body = { options: view.options, guide: guide() };
    if (isPart) {
      const box = seen();
      if (!box) return;
      body.box = box;
    }
    asking = true;
    try {
      await state.moving;
      const job = await post(`/api/stacks/${id}/fuse`, body);
      if (!state.jobs.has(job.id)) hearJob(job);
      tell("job", job);
    } catch (error) { refusal(error); } finally { asking = false; }
  }

  function seen() {
    const stack = state.stack;
    const [left, top, width, height] = stage().seenBox();
    const shown = stage().shown("a");
    const size = shown.getContentSize();
    const bounds = shown.getBoundsNoRotate();
    const scale = (bounds.width * stack.width) / size.x; // pixels of a frame a pixel of what is shown
    const at = [bounds.x * stack.width + left * scale, bounds.y * stack.width + top * scale].map(Math.round);
    const box = [Math.max(at[0], 0), Math.max(at[1], 0), Math.round(width * scale), Math.round(height * scale)];
    box[2] = Math.min(box[2], stack.width - box[0]);
    box[3] = Math.min(box[3], stack.height - box[1]);
    if (Math.min(box[2], box[3]) < 64) { toast(t("fuse.part.small")); return null; }
    return box;
  }

  /** The channel of a volume that decides for the one that is shown; null where it does itself. */
  function guide() {
    const chosen = view.guide ?? null;
    return chosen !== null && chosen < channelsShown().length && chosen !== state.stack.volume.place[2] ? chosen : null;
  }

  const drawGuides = () => anew(guides, () => clear(guides, guideField()));

  function guideField() {
    const channels = channelsShown();
    if (channels.length < 2) return null;
    const select = el("select", { on: { change: () => { view.guide = select.value === "" ? null : Number(select.value); } } },
      el("option", { value: "", selected: guide() === null }, t("fuse.guide.own")),
      channels.map((name, n) => (n === state.stack.volume.place[2] ? null : el("option", { value: String(n), selected: n === guide() }, name))).filter(Boolean));
    return field(t("fuse.guide"), select, t("fuse.guide.help"));
  }

  function control(option) {
    const value = view.options[option.name] ?? option.default;
    const set = (next) => {
      if (next === option.default || next === "" || next === null) delete view.options[option.name];
      else view.options[option.name] = next;
      mark();
    };
    const label = t(`option.${option.name}`);
    if (option.kind === "truth") return tick(label, Boolean(value), set, helpOf(option));
    if (option.name === "align_dof") return freedoms(option, label, value, set);
    if (option.kind === "file") return fileField(label, value, set, helpOf(option));
    let input;
    if (option.name === "reference") {
      input = el("select", { on: { change: () => set(input.value) } }, ["middle", "first", "last"].map((c) => el("option", { value: c, selected: c === value }, choiceName("reference", c))),
        used().map((n, place) => el("option", { value: String(place), selected: String(place) === String(value) }, t("frame.option", { number: n + 1, name: state.stack.frames[n].name }))));
    } else if (option.choices.length) {
      input = el("select", { on: { change: () => set(input.value) } }, option.choices.map((c) => el("option", { value: c, selected: c === value }, choiceName(option.name, c))));
    } else if (option.kind === "length" || option.kind === "count") {
      input = el("input", { type: "number", min: option.kind === "count" ? 1 : 0, step: option.kind === "count" ? 1 : "any", value: value ?? "", on: { change: () => set(input.value === "" ? null : Number(input.value)) } });
    } else {
      input = el("input", { type: "text", value: value ?? "", spellcheck: false, on: { change: () => set(input.value.trim()) } });
    }
    return field(label, input, helpOf(option));
  }

  /** Numbers of the frames that are fused, among which a reference frame is counted. */
  const used = () => state.stack.frames.filter((f) => f.used).map((f) => f.number);
  let counted = used();

  /** A reference frame stays the same one where others are left out or taken in again. */
  function recount() {
    const now = used();
    if (String(now) === String(counted)) return;
    const place = /^\d+$/.test(view.options.reference ?? "") ? now.indexOf(counted[Number(view.options.reference)]) : null;
    if (place !== null && place >= 0) view.options.reference = String(place);
    else if (place !== null) delete view.options.reference;
    counted = now;
    drawForm();
  }

  /** What may change between frames: a box for each, at least one of them ticked. */
  function freedoms(option, label, value, set) {
    const all = option.default.split(",");
    const chosen = new Set(value.split(","));
    const boxes = all.map((each) => tick(choiceName("align_dof", each), chosen.has(each), (on) => {
      if (on) chosen.add(each); else chosen.delete(each);
      if (chosen.size) set(all.filter((one) => chosen.has(one)).join(","));
      else drawForm();
    }));
    return el("fieldset", { class: "field" }, el("legend", {}, label), el("div", { class: "row wrap" }, boxes), el("p", { class: "help" }, helpOf(option)));
  }

  /** A file or folder by its name, from the stack's folder on; those beside the frames are offered. */
  function fileField(label, value, set, help) {
    const { folder } = state.stack;
    const offered = el("datalist", { id: newId("d") });
    const input = el("input", { type: "text", value: value ?? "", spellcheck: false, autocomplete: "off", placeholder: t("option.file", { folder: folder.split(/[\\/]/).at(-1) }),
      on: {
        change: () => { const name = input.value.trim(); set(name && !/^([\\/]|[A-Za-z]:)/.test(name) ? `${folder}/${name}` : name); },
        focus: () => { if (!offered.children.length) offer(offered, folder).catch(() => {}); },
      } });
    input.setAttribute("list", offered.id);
    const made = field(label, input, help);
    made.append(offered);
    return made;
  }

  async function offer(list, folder) {
    const here = await get(`/api/folder?path=${encodeURIComponent(folder)}`);
    const above = here.parent ? await get(`/api/folder?path=${encodeURIComponent(here.parent)}`) : { folders: [], files: [] };
    if (state.stack?.id !== id) return;
    const frames = new Set(state.stack.frames.map((f) => f.name));
    const found = [...here.folders, ...above.folders, ...here.files, ...above.files].filter((one) => !frames.has(one.name) && one.path !== folder);
    clear(list, found.slice(0, 200).map((one) => el("option", { value: one.path }, one.name)));
  }

  const choiceName = (option, choice) => (has(`choice.${option}.${choice}`) ? t(`choice.${option}.${choice}`) : choice);

  const drawForm = () => anew(form, drawGroups);

  function drawGroups() {
    const { groups, presets, systems } = state.form;
    const options = new Map(groups.flatMap((g) => g.options).map((o) => [o.name, o]));
    const preset = el("select", { on: { change: () => {
      view.preset = preset.value;
      const keep = view.options.system;
      view.options = { ...presets[preset.value], ...(keep ? { system: keep } : {}) };
      drawForm();
    } } }, Object.keys(presets).map((name) => el("option", { value: name, selected: name === view.preset }, t(`preset.${name}`))));
    const chosen = view.options.system ?? options.get("system").default;
    const about = systems.find((s) => s.name === chosen);
    const system = el("select", { on: { change: () => {
      if (system.value === options.get("system").default) delete view.options.system;
      else view.options.system = system.value;
      drawForm();
    } } }, systems.map((s) => el("option", { value: s.name, selected: s.name === chosen }, s.name)));
    const shown = groups.map((group) => ({ ...group, options: group.options.filter((o) => o.name !== "system") })).filter((g) => g.options.length);
    clear(form,
      field(t("preset"), preset, t(`preset.${view.preset}.help`)),
      field(t("option.system"), system, about ? useOf(about) : ""),
      guides,
      el("div", { class: "groups" }, shown.map((group) => el("details", { class: "group", data: { group: group.name }, open: view.openGroup === group.name, on: { toggle: (event) => { if (event.target.open) view.openGroup = group.name; } } },
        el("summary", {}, el("span", { class: "grow" }, t(`group.${group.name}`)), el("span", { class: "dot", hidden: true, title: t("group.changed") })),
        el("div", { class: "stack inner" }, group.name === "input" ? readingSection() : null, group.options.map(control))))));
    mark();
  }

  function mark() {
    for (const group of form.querySelectorAll(".group")) {
      const names = state.form.groups.find((g) => g.name === group.dataset.group).options.map((o) => o.name);
      group.querySelector(".dot").hidden = !names.some((n) => n !== "system" && n in view.options);
    }
  }

  function drawProgress() {
    const jobs = [...state.jobs.values()].filter((job) => job.stack === state.stack?.id);
    const busy = jobs.some((job) => job.kind === "fuse");
    go.disabled = busy;
    clear(progress, jobs.map(jobLine));
  }

  function jobLine(job) {
    const words = job.stage ? t(`stage.${job.stage}`) : t("stage.wait");
    const left = job.left_s === null ? "" : t("time.left", { time: time(job.left_s) });
    return el("div", { class: "job" },
      el("div", { class: "row small" }, el("strong", { class: "cut" }, job.kind === "fuse" ? job.title : t(`job.${job.kind}`)), el("span", { class: "quiet cut grow" }, words),
        el("span", { class: "number quiet" }, left),
        iconButton("stop", t("job.stop"), () => del(`/api/jobs/${job.id}`).catch(refusal), { class: "plain slim" })),
      el("progress", { max: 1, value: job.state === "waiting" ? 0 : job.share, "aria-label": words }));
  }

  /** A part that was tried: it lies over the picture until it is let go. */
  function partLine(r) {
    const name = `${t("job.region")} · ${r.system}`;
    return el("div", { class: "result part" },
      el("span", { class: "cut grow" }, name), el("span", { class: "quiet small number" }, `${r.width} × ${r.height} · ${number(r.seconds, 1)} s`),
      iconButton("trash", t("result.drop", { name }), () => del(`/api/stacks/${state.stack.id}/results/${r.id}`).catch(refusal), { class: "plain slim" }));
  }

  function drawResults() {
    const found = results().filter((r) => r.id !== "draft").reverse();
    const part = state.stack.results.filter((r) => r.name === "region").reverse().map(partLine);
    if (!found.length) {
      clear(list, part, el("p", { class: "quiet small" }, t("fuse.none")));
      return;
    }
    const shown = current();
    clear(list, part, found.map((r) => el("div", { class: `result${r.id === shown?.id ? " on" : ""}` },
      el("button", { type: "button", class: "plain grow", "aria-pressed": String(r.id === shown?.id && !view.a), on: { click: () => { view.result = r.id; view.a = null; tell("view"); } } },
        el("span", { class: "cut grow" }, nameOf(r)), el("span", { class: "quiet small number" }, `${number(r.seconds, 1)} s`)),
      iconButton("trash", t("result.drop", { name: nameOf(r) }), () => del(`/api/stacks/${state.stack.id}/results/${r.id}`).catch(refusal), { class: "plain slim" }),
      r.warnings.length ? el("details", { class: "warnings small" }, el("summary", {}, glyph("warn"), t("result.warnings", { count: r.warnings.length })), el("ul", {}, r.warnings.map((w) => el("li", {}, plain(w))))) : null)));
  }

  const stops = [watch("job", drawProgress), watch("stacks", drawProgress), watch("stack", () => { recount(); drawGuides(); drawResults(); drawProgress(); }), watch("view", drawResults)];
  drawForm();
  drawGuides();
  drawProgress();
  drawResults();
  const notes = state.stack.notes.length ? el("details", { class: "notes small" }, el("summary", {}, t("notes", { count: state.stack.notes.length })), el("ul", {}, state.stack.notes.map((n) => el("li", {}, plain(n))))) : null;
  const node = el("div", { class: "stack" }, form, el("div", { class: "stack tight sticky" }, el("div", { class: "row" }, go, part), progress), el("section", { class: "stack tight" }, el("h3", {}, t("results")), list), notes);
  return { node, leave: () => { for (const stop of stops) stop(); } };
}

export function time(seconds) {
  if (seconds < 90) return t("time.s", { n: Math.max(Math.round(seconds), 1) });
  return t("time.min", { n: Math.round(seconds / 60) });
}
