// What is on the stage: which two pictures, how they are compared, what lies over them.

import { state, viewOf, results, resultOf, current } from "./store.js";
import { t } from "./texts.js";

/** Names the levels by which all is shown; nothing where they are as the files have them. */
export const levelsKey = () => state.stack.levels_key;

/** How a picture by its name is shown: its size and place in the frame. */
export function pictureOf(name) {
  const stack = state.stack;
  const frame = /^frame-(\d+)(?:@(\w+))?$/.exec(name);
  if (frame) {
    const result = frame[2] ? resultOf(frame[2]) : null;
    if (!result || result.id === "draft") {
      return { name: `frame-${frame[1]}`, width: stack.width, height: stack.height, version: `${stack.key}${levelsKey()}` };
    }
    return { name, width: result.width, height: result.height, ...result.field, version: `${stack.key}${levelsKey()}` };
  }
  const [id] = name.split("-");
  const result = resultOf(id);
  if (!result) return null;
  const scale = stack.width / result.frame.width;
  return {
    name, width: result.width, height: result.height, scale, version: result.id === "draft" ? `${stack.version}${levelsKey()}` : result.id,
    left: result.field.left * scale, top: result.field.top * scale,
    ...(result.id !== "draft" ? { version: `${result.id}.${stack.mended}${levelsKey()}` } : {}),
  };
}

/** What can be chosen to be looked at: results first, then frames. */
export function choices() {
  const stack = state.stack;
  const view = viewOf();
  const found = results().map((r) => [r.id, nameOf(r)]);
  const shown = current();
  const at = view.inPlace && shown && shown.id !== "draft" ? `@${shown.id}` : "";
  const frames = stack.frames.map((f) => [`frame-${f.number}${shown?.used.includes(f.number) ? at : ""}`, t("frame.option", { number: f.number + 1, name: f.name })]);
  return { results: found, frames };
}

export function nameOf(result) {
  if (result.id === "draft") return t("result.draft");
  if (result.guide === null) return result.name;
  const channel = channelsShown()[result.guide] ?? String(result.guide);
  return t("result.guide", { name: result.name, channel });
}

/** The names of a volume's channels at the position that is shown; none of photographs. */
export function channelsShown() {
  const volume = state.stack?.volume;
  return volume ? volume.positions[volume.place[0]].channels : [];
}

/** The picture in slot A: what was chosen, else the current result, else the reference frame. */
export function pictureA() {
  const view = viewOf();
  const chosen = view.a && pictureOf(view.a);
  if (chosen) return chosen;
  const result = current();
  return result ? pictureOf(result.id) : pictureOf(`frame-${state.stack.reference}`);
}

export function pictureB() {
  const view = viewOf();
  const chosen = view.b && pictureOf(view.b);
  if (chosen) return chosen;
  const shown = current();
  const other = results().filter((r) => r.id !== shown?.id && r.id !== "draft").at(-1);
  if (other) return pictureOf(other.id);
  return pictureOf(frameName(view.frame));
}

/** A frame's picture where the current result has it. */
export function frameName(number) {
  const shown = current();
  const inPlace = viewOf().inPlace && shown && shown.id !== "draft" && shown.used.includes(number);
  return inPlace ? `frame-${number}@${shown.id}` : `frame-${number}`;
}

/** Put all on the stage as the view says. */
export function dress(stage) {
  if (!state.stack) return;
  const view = viewOf();
  stage.mode = view.mode;
  stage.share = view.share;
  const a = pictureA();
  const b = pictureB();
  stage.split(view.mode === "side");
  stage.set("a", view.held && view.mode === "hold" ? a : a);
  const viewer = view.mode === "side" ? stage.second : stage.viewer;
  const opacity = { wipe: 1, side: 1, blend: view.share, hold: view.held ? 1 : 0, single: 0 }[view.mode];
  if (view.mode === "single") stage.set("b", null);
  else stage.set("b", b, { viewer, opacity });
  stage.opacity("b", opacity);
  const shown = current();
  const overlay = view.overlay !== "none" && shown?.maps[view.overlay] ? { ...pictureOf(`${shown.id}-${view.overlay}`), fades: view.fades && view.overlay !== "confidence" } : null;
  stage.set("overlay", overlay, { opacity: view.overlayOpacity });
  stage.opacity("overlay", view.overlayOpacity);
  const part = state.stack.results.filter((r) => r.name === "region").at(-1);
  const partShown = part && !view.a ? pictureOf(part.id) : null;
  stage.set("part", partShown);
  stage.arrange();
}
