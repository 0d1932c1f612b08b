// The filmstrip: frames in order, how sharp each is, what is wrong with it, whether it is used.

import { post } from "./api.js";
import { clear, el, glyph } from "./dom.js";
import { reload, state, tell, viewOf, watch, resultOf } from "./store.js";
import { frameName, levelsKey } from "./look.js";
import { t } from "./texts.js";
import { refusal } from "./toast.js";

const PAUSE = 200; // ms in which a slider may go on

let heading = null; // the place that the sliders tell, until the page has its facts

/** Go to a place of a volume; whatever is asked for next is asked of it, see `state.moving`. */
function goTo(id, place) {
  heading = { id, place };
  state.moving ??= move();
}

/** Go to where the sliders are by now, one place after the other: answers could overtake each other. */
async function move() {
  while (heading) {
    await new Promise((done) => { setTimeout(done, PAUSE); });
    const mine = heading;
    const [p, t, c] = mine.place;
    Object.assign(state.view.get(mine.id) ?? {}, { a: null, b: null, result: null });
    await post(`/api/stacks/${mine.id}/place`, { p, t, c }).catch(refusal);
    await reload().catch(refusal);
    if (heading === mine) heading = null;
  }
  state.moving = null;
  tell("stack"); // the sliders, where a place could not be had
}

export function strip() {
  const list = el("ol", { class: "frames", "aria-label": t("frames") });
  const places = el("div", { class: "places row wrap" });
  const box = el("section", { class: "strip", "aria-label": t("frames") }, places, list);
  let drawn = "";

  function draw() {
    const stack = state.stack;
    if (!stack) return;
    const view = viewOf();
    const key = JSON.stringify([stack.key, stack.frames, stack.can_switch, stack.levels]);
    if (key !== drawn) {
      drawn = key;
      const at = list.scrollLeft;
      const focused = list.contains(document.activeElement) ? document.activeElement.dataset.frame : null;
      clear(list, stack.frames.map(cell));
      list.scrollLeft = at;
      if (focused) list.querySelector(`[data-frame="${focused}"]`)?.focus();
    }
    drawPlaces(stack);
    for (const item of list.children) item.classList.toggle("on", Number(item.dataset.number) === view.frame && /^frame-/.test(view.a ?? ""));
  }

  function cell(frame) {
    const stack = state.stack;
    const mark = frame.mark;
    const why = frame.align?.left_out ?? mark?.kind;
    const left = why || frame.align?.status?.startsWith("left unaligned");
    const moved = frame.align?.status === "aligned" && frame.align.corner_shift_px >= 1;
    const note = why ? t(`mark.${why}`) : left ? t("mark.unaligned") : moved ? t("mark.moved") : "";
    const told = [frame.name, note, mark?.text].filter(Boolean).join(": ");
    const known = stack.frames.map((f) => f.sharpness).filter((v) => v !== null);
    const most = Math.max(...known, 1e-9);
    const least = known.length ? 0.75 * Math.min(...known) : 0; // differences are small beside the whole
    const bar = el("i", {});
    bar.style.height = `${frame.sharpness === null ? 0 : Math.max((100 * (frame.sharpness - least)) / (most - least), 4)}%`;
    const curve = el("div", { class: "curve", title: frame.sharpness === null ? "" : t("frame.sharpness", { share: Math.round((100 * frame.sharpness) / most) }), "aria-hidden": "true" }, bar);
    const label = [t("frame.option", { number: frame.number + 1, name: frame.name }), note, frame.used ? "" : t("frame.off")].filter(Boolean).join(", ");
    const image = frame.thumb
      ? el("img", { src: `/api/stacks/${stack.id}/thumbs/${frame.number}?v=${stack.key}${levelsKey()}`, alt: "", loading: "lazy", draggable: false })
      : el("span", { class: "blank" });
    return el("li", { class: `cell${frame.used ? "" : " off"}`, data: { number: frame.number } },
      curve,
      el("button", { type: "button", class: "plain shot", "aria-label": label, title: told, data: { frame: frame.number }, on: { click: () => choose(frame.number) } }, image,
        left ? el("span", { class: "mark small", title: told }, glyph("warn"), el("span", {}, note)) : null),
      el("div", { class: "row foot small" },
        stack.can_switch ? el("input", { type: "checkbox", checked: frame.used, "aria-label": t("frame.use", { name: frame.name }), on: { change: (event) => use(frame.number, event.target) } }) : null,
        el("span", { class: "number" }, String(frame.number + 1)),
        moved && !left ? el("span", { class: "moved", title: note }, "↔") : null));
  }

  function choose(number) {
    const view = viewOf();
    const again = view.frame === number && /^frame-/.test(view.a ?? "");
    view.frame = number;
    view.a = again ? null : frameName(number);
    tell("view");
  }

  async function use(number, boxed) {
    try { await post(`/api/stacks/${state.stack.id}/frames`, { number, used: boxed.checked }); }
    catch (error) { boxed.checked = !boxed.checked; refusal(error); }
  }

  function drawPlaces(stack) {
    if (!stack.volume) { places.hidden = true; return; }
    places.hidden = false;
    const { positions, place } = stack.volume;
    const isHeading = () => heading?.id === stack.id;
    const go = (n, value) => {
      const next = [...(isHeading() ? heading : state.stack.volume).place];
      next[n] = value;
      if (n === 0) next.splice(1, 2, 0, 0);
      goTo(stack.id, next);
    };
    const here = positions[place[0]];
    const axes = [
      [0, t("volume.position"), positions.map((p) => p.name)],
      [1, t("volume.time"), Array.from({ length: here.times }, (_, n) => `${n + 1}/${here.times}`)],
      [2, t("volume.channel"), here.channels],
    ].filter(([, , names]) => names.length > 1);
    const shape = JSON.stringify(axes);
    if (places.dataset.shape !== shape) { // a slider that is held or focused stays the same one
      places.dataset.shape = shape;
      clear(places, axes.map(([n, label, names]) => slider(n, label, names)));
    }
    for (const input of places.querySelectorAll("input")) {
      if (!input.matches(":active") && !isHeading()) input.value = String(place[Number(input.dataset.axis)]);
      input.dispatchEvent(new Event("told"));
    }
    places.hidden = !axes.length;

    function slider(n, label, names) {
      const name = el("span", { class: "number" });
      const say = () => { name.textContent = names[Number(input.value)]; input.setAttribute("aria-valuetext", name.textContent); };
      const input = el("input", { type: "range", min: 0, max: names.length - 1, value: place[n], data: { axis: n }, on: { input: () => { say(); go(n, Number(input.value)); }, told: say } });
      return el("label", { class: "row small" }, el("span", { class: "quiet" }, label), input, name);
    }
  }

  const stops = [watch("stack", draw), watch("view", draw)];
  const stop = watch("shown", () => { for (const end of [...stops, stop]) end(); });
  draw();
  return box;
}

/** Show the frame before or after the one that is shown. */
export function step(by) {
  const view = viewOf();
  const count = state.stack.frames.length;
  view.frame = Math.min(Math.max(view.frame + by, 0), count - 1);
  view.a = frameName(view.frame);
  tell("view");
  document.querySelector(`.cell[data-number="${view.frame}"]`)?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

export const isOfDraft = () => resultOf("draft") !== null;
