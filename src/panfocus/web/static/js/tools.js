// What is painted with and from, and strokes on their way to the server and back.

import { del, get, post } from "./api.js";
import { hearStrokes, state, tell } from "./store.js";
import { refusal } from "./toast.js";

export const tools = {
  tool: "none", radius: 40, hardness: 0.6, opacity: 1, source: "sharpest", match: false,
  mine: [], undone: [], panning: false, under: null,
};

/** How the source that is chosen stands in a stroke's record. */
export function sourceRecord() {
  if (tools.tool === "eraser") return { fused: true };
  if (tools.source === "sharpest") return { frame: "sharpest" };
  if (tools.source.startsWith("system:")) return { system: tools.source.slice(7) };
  return { frame: Number(tools.source) };
}

/** The picture that a stroke at a place would be painted from; null where that is not known. */
export async function sourcePicture(result, x, y) {
  if (tools.tool === "eraser") return null;
  if (tools.source.startsWith("system:")) {
    const name = tools.source.slice(7);
    return state.stack.results.filter((r) => r.system === name && r.id !== "draft" && r.name !== "region").at(-1)?.id ?? null;
  }
  if (tools.source !== "sharpest") return `frame-${tools.source}@${result.id}`;
  const facts = await get(`/api/stacks/${state.stack.id}/source/${result.id}?x=${clamp(x, result.width)}&y=${clamp(y, result.height)}`).catch(() => null);
  return facts ? `frame-${facts.frame}@${result.id}` : null;
}

const clamp = (v, size) => Math.min(Math.max(Math.round(v), 0), size - 1);

let turn = Promise.resolve();
/** Strokes come and go one after the other: a key may be pressed before the last one is answered. */
const inTurn = (act) => (turn = turn.catch(() => {}).then(act));

/** Send a stroke, and show the picture with it: it counts in pixels of the result that it was drawn on. */
export async function send(record, kept) {
  const body = { result: kept.result.id, stroke: record };
  await inTurn(() => put(kept.stack, "", body, kept));
}

async function put(id, name, body, kept = null) {
  try {
    const { stroke, ...told } = await post(`/api/stacks/${id}/strokes${name}`, body);
    tools.mine.push({ id: stroke.id, stack: id });
    hearStrokes(told);
    if (kept) kept.version = told.version;
    tell("view");
    tell("mended");
  } catch (error) {
    if (kept) kept.failed = true;
    tell("mended");
    refusal(error);
  }
}

export function undo() {
  const stack = state.stack.id;
  return inTurn(() => takeBack(stack));
}

async function takeBack(stack) {
  try {
    const mine = tools.mine.filter((s) => s.stack === stack).at(-1);
    const id = mine?.id ?? (await get(`/api/stacks/${stack}/strokes`)).strokes.at(-1)?.id;
    if (!id) return;
    tools.mine = tools.mine.filter((s) => s.id !== id); // also where somebody else has taken it back
    hearStrokes(await del(`/api/stacks/${stack}/strokes/${id}`));
    tools.undone.push({ id, stack });
    tell("view");
    tell("mended");
  } catch (error) { refusal(error); }
}

/** Bring back what was taken back last: the server still knows where it lay. */
export function redo() {
  const stack = state.stack.id;
  return inTurn(async () => {
    const last = tools.undone.filter((s) => s.stack === stack).at(-1);
    if (!last) return;
    tools.undone.splice(tools.undone.lastIndexOf(last), 1);
    await put(stack, `/${last.id}`, {});
  });
}
