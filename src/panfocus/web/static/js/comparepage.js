// Compare: pictures of all systems of an `evaluate` run, difference to truth, metrics.

import { get } from "./api.js";
import { calm, clear, el, field, iconButton, segments } from "./dom.js";
import { state, tell, watch } from "./store.js";
import { number, t } from "./texts.js";
import { linesOf, refusal } from "./toast.js";
import { Stage } from "./viewer.js";

const LEAST = 8; // pixels a side, from which a part is scored
const MOST = 400_000; // pixels that are scored by all metrics

export function comparePage() {
  const run = state.stack;
  const first = run.samples.findIndex((s) => s.systems.some(Boolean));
  const now = { sample: Math.max(first, 0), a: null, b: null, mode: "wipe", share: 0.5, difference: false, size: null, crop: null, isPart: false, part: null, why: null };
  const screen = el("div", { class: "screen", tabIndex: 0, role: "application", "aria-label": t("stage.label") });
  const bar = el("div", { class: "toolbar row wrap", role: "toolbar", "aria-label": t("look.toolbar") });
  const handle = el("div", { class: "wipe", role: "slider", tabIndex: 0, "aria-label": t("look.wipe.handle"), "aria-valuemin": 0, "aria-valuemax": 100 }, el("span", {}));
  const tags = [el("span", { class: "tag left small" }), el("span", { class: "tag right small" })];
  const table = el("div", { class: "scroll" });
  const extent = segments(t("compare.scored"), [["whole", t("compare.whole")], ["part", t("compare.part")]], "whole", (value) => { now.isPart = value === "part"; now.part = null; now.box = null; drawTable(); score(); });
  const notes = run.notes.length ? el("p", { class: "small quiet" }, run.notes.join(" ")) : null;
  const surface = el("section", { class: "stage", "aria-label": t("stage") }, bar, screen);
  screen.append(el("div", { class: "over" }, handle, ...tags));
  const panel = el("aside", { class: "panel", "aria-label": t("tools") }, el("div", { class: "panel-body", id: "panel", tabIndex: -1 }, el("div", { class: "stack" }, picker(), extent, table, notes)));
  let stage = null;

  const sample = () => run.samples[now.sample];
  const options = () => [
    ...run.systems.map((name, n) => [`system-${now.sample}-${n}`, name, sample().systems[n]]),
    [`truth-${now.sample}-0`, t("compare.truth"), sample().truth],
    ...Array.from({ length: sample().frames }, (_, n) => [`frame-${now.sample}-${n}`, t("frame.short", { number: n + 1 }), true]),
  ].filter(([, , there]) => there);

  function picker() {
    const select = el("select", { on: { change: () => { now.sample = Number(select.value); now.a = now.b = now.size = null; stage.empty(); stage.seen = null; all().catch(refusal); } } },
      run.samples.map((s, n) => el("option", { value: n, selected: n === now.sample }, s.name)));
    return field(t("compare.sample"), select);
  }

  function picture(name) {
    const kind = now.difference && name.startsWith("system") && sample().truth ? name.replace("system", "difference") : name;
    return { name: kind, ...now.size, version: "1" };
  }

  function dress() {
    if (!now.size || state.stack?.id !== run.id) return;
    state.stack.width = now.size.width; // of facts that may have been asked for anew
    const names = options().map(([value]) => value);
    if (!names.includes(now.a)) now.a = names[0];
    if (!names.includes(now.b)) now.b = names[1] ?? names[0];
    stage.mode = now.mode;
    stage.share = now.share;
    stage.split(now.mode === "side");
    stage.set("a", picture(now.a));
    stage.set("b", now.mode === "single" ? null : picture(now.b), { viewer: now.mode === "side" ? stage.second : stage.viewer });
    stage.arrange();
    drawBar();
  }

  function drawBar() {
    const choose = (slot) => el("select", { "aria-label": t(`look.${slot}`), on: { change: (e) => { now[slot] = e.target.value; dress(); } } }, options().map(([value, text]) => el("option", { value, selected: value === now[slot] }, text)));
    const modes = segments(t("look.mode"), ["single", "wipe", "side"].map((m) => [m, t(`look.${m}`), t(`look.${m}.help`)]), now.mode, (mode) => { now.mode = mode; dress(); });
    const difference = el("button", { type: "button", "aria-pressed": String(now.difference), disabled: !sample().truth, on: { click: () => { now.difference = !now.difference; dress(); } } }, t("compare.difference"));
    clear(bar, el("div", { class: "row pair" }, choose("a"), now.mode === "single" ? null : choose("b")), modes, difference, el("div", { class: "grow" }),
      el("div", { class: "row zooms" }, iconButton("minus", t("zoom.out"), () => stage.zoomBy(1 / 1.5), { class: "plain" }), iconButton("plus", t("zoom.in"), () => stage.zoomBy(1.5), { class: "plain" }), iconButton("fit", t("zoom.fit"), () => stage.fit(), { class: "plain" })));
    const names = new Map(options());
    const two = now.mode !== "single";
    tags.forEach((tag, n) => { tag.hidden = !two; tag.textContent = names.get([now.a, now.b][n]) ?? ""; });
    handle.hidden = now.mode !== "wipe";
    handle.style.left = `${now.share * 100}%`;
    handle.setAttribute("aria-valuenow", String(Math.round(now.share * 100)));
  }

  function drawTable() {
    const shown = run.systems.filter((_, n) => sample().systems[n] || Object.keys(sample().scores[run.systems[n]] ?? {}).length);
    const row = (name, lower, values, title = "") => {
      const known = values.filter((v) => v !== null && v !== undefined);
      const best = known.length > 1 ? (lower ? Math.min(...known) : Math.max(...known)) : null;
      return el("tr", { title }, el("th", { scope: "row" }, `${name} ${lower ? "↓" : "↑"}`), values.map((v) => el("td", { class: v !== null && v === best ? "best" : "" }, v === null || v === undefined ? "–" : number(v, 4))));
    };
    const scores = (name) => (now.isPart ? now.part?.[name] ?? {} : sample().scores[name] ?? {});
    // what a part has not: borders that are cut off, a band beside what is in front
    const metrics = run.metrics.filter((m) => !now.isPart || !/_(cut\d+|band)$/.test(m.name));
    clear(table, now.isPart && !now.part ? el("p", { class: "quiet small", role: "status" }, now.why ?? t("loading")) : null, el("table", { class: "scores" },
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, t("compare.metric")), shown.map((s) => el("th", { scope: "col" }, s)))),
      el("tbody", {}, now.crop && !(now.isPart && now.part) ? row(t("compare.crop"), false, shown.map((s) => now.crop[s] ?? null), t("compare.crop.help")) : null,
        metrics.map((m) => row(m.name, m.lower, shown.map((s) => scores(s)[m.name] ?? null))))));
  }

  const score = calm(async () => {
    const box = stage?.seenBox();
    if (!box || !sample().truth || Math.min(box[2], box[3]) < LEAST) { now.crop = null; return drawTable(); }
    const mine = now.sample;
    const wanted = `${mine}/${box.join(",")}`;
    if (now.box === wanted) return null; // as for every tile that has come
    now.box = wanted;
    const isAsked = () => now.box === wanted && screen.isConnected;
    const address = `/api/stacks/${run.id}/samples/${mine}/scores?box=${box.join(",")}`;
    const { psnr } = await get(address).catch(() => ({ psnr: null }));
    if (!isAsked()) return null;
    now.crop = psnr;
    now.part = null;
    now.why = box[2] * box[3] > MOST ? t("compare.nearer") : null;
    drawTable();
    if (!now.isPart || now.why) return null;
    const found = await get(`${address}&all=1`).catch((error) => ({ why: error.facts ? linesOf(error.facts)[0] : String(error) }));
    if (!isAsked()) return null;
    [now.part, now.why] = [found.scores ?? null, found.why ?? null];
    return drawTable();
  }, 400);

  function move(share) {
    now.share = Math.min(Math.max(share, 0), 1);
    stage.share = now.share;
    stage.arrange();
    handle.style.left = `${now.share * 100}%`;
  }
  handle.addEventListener("pointerdown", (e) => { handle.setPointerCapture(e.pointerId); e.preventDefault(); });
  handle.addEventListener("pointermove", (e) => {
    if (!handle.hasPointerCapture(e.pointerId)) return;
    const box = screen.getBoundingClientRect();
    move((e.clientX - box.left) / box.width);
  });
  handle.addEventListener("keydown", (e) => {
    const by = { ArrowLeft: -0.02, ArrowRight: 0.02 }[e.key];
    if (by) { e.preventDefault(); move(now.share + by); }
  });

  async function all() {
    const mine = now.sample;
    const size = await get(`/api/stacks/${run.id}/samples/${mine}`);
    if (mine !== now.sample || !screen.isConnected) return;
    now.size = size;
    drawTable();
    dress();
    score();
  }
  queueMicrotask(() => {
    stage = new Stage(screen);
    all().catch(refusal);
  });
  const stop = watch("moved", score);
  const end = watch("shown", () => { stop(); end(); stage?.close(); });
  tell("tab", "compare");
  return [surface, panel];
}
