// What the page knows: what is open, what is being done, what is looked at.

import { get } from "./api.js";

export const state = {
  moving: null, // a promise while another place of a volume is asked for
  stacks: [], jobs: new Map(), ended: new Set(), folders: [], problems: [], form: null, version: "",
  stack: null, // all facts of the stack that is shown
  view: new Map(), // of each stack: how it is looked at
};

const listeners = new Map();

/** Call `act` whenever something of that name has changed. */
export function watch(name, act) {
  if (!listeners.has(name)) listeners.set(name, new Set());
  listeners.get(name).add(act);
  return () => listeners.get(name).delete(act);
}

export function tell(name, value) {
  for (const act of [...(listeners.get(name) ?? [])]) act(value);
}

export function viewOf(stack = state.stack) {
  if (!state.view.has(stack.id)) {
    const preset = stack.kind === "volume" ? "brightfield" : "macro";
    state.view.set(stack.id, {
      a: null, b: null, mode: "single", share: 0.5, overlay: "none", overlayOpacity: 0.7,
      frame: stack.reference, options: { ...(state.form?.presets[preset] ?? {}), ...stack.options }, preset, inPlace: true, fades: stack.kind === "volume", tab: "fuse",
    });
  }
  return state.view.get(stack.id);
}

let asking = 0;
let heard = 0;

/** The server has told of a job: how far it is, or that it has ended. */
export function hearJob(job) {
  if (job.state === "running" || job.state === "waiting") {
    if (!state.ended.has(job.id)) state.jobs.set(job.id, { ...job, told: asking });
  } else {
    state.jobs.delete(job.id);
    state.ended.add(job.id);
  }
}

/** Ask what is open; an answer that comes after that to a later question is of the past. */
export async function refresh() {
  asking += 1;
  const mine = asking;
  const facts = await get("/api/state");
  if (mine < heard) return;
  heard = mine;
  Object.assign(state, { stacks: facts.stacks, folders: facts.folders, problems: facts.problems, version: facts.version, taken: facts.taken });
  state.form = facts.form;
  // a job may have ended, and said so, while this answer was on its way
  // or have begun, or gone on: what was told since the question counts
  const since = [...state.jobs.values()].filter((job) => job.told >= mine);
  state.jobs = new Map([...facts.jobs.filter((job) => !state.ended.has(job.id)), ...since].map((job) => [job.id, job]));
  tell("stacks");
}

let coming = null; // the stack that is asked for, to be shown
/** Show a stack, or none; of several calls the last one counts, whichever is answered first. */
export function show(id) {
  const mine = { id, again: false };
  coming = mine;
  mine.shown = showAs(mine);
  return mine.shown;
}

/** Wait until what is asked for last is shown, or is not to be had. */
export const settled = () => coming?.shown.catch(() => {});

async function showAs(mine) {
  const { id } = mine;
  try {
    const facts = id === null ? null : await get(`/api/stacks/${id}`);
    if (coming !== mine) return;
    state.stack = facts;
  } finally {
    if (coming === mine) coming = null;
  }
  tell("shown");
  if (mine.again) await reload();
}

/** Answers can overtake each other: strokes that were told of are not forgotten. */
function withStrokes(facts) {
  const { key, mended, strokes } = state.stack;
  return key === facts.key && mended > facts.mended ? { ...facts, mended, strokes } : facts;
}

/** Strokes of a place were told of: which version they are, and how many, where that is known. */
export function hearStrokes({ key, version, count = null }) {
  if (state.stack?.key !== key || version < state.stack.mended) return false;
  state.stack.mended = version;
  if (count !== null) state.stack.strokes = count;
  return true;
}

/** A stack has changed: what is on its way of it may be older than that. */
export function changed(id) {
  if (coming?.id === id) coming.again = true;
}

let asked = null;
let next = null;
/** Ask anew for all that is known of the stack that is shown; one question at a time. Done once a
 * question is answered that was asked after this call. */
export function reload() {
  if (!asked) {
    asked = ask().finally(() => { asked = null; });
    return asked;
  }
  next ??= asked.catch(() => {}).then(() => { next = null; return reload(); });
  return next;
}

async function ask() {
  if (!state.stack) return;
  const { id } = state.stack;
  const facts = await get(`/api/stacks/${id}`);
  if (state.stack?.id !== id) return;
  state.stack = withStrokes(facts);
  tell("stack");
}

/** Whether strokes can lie on a result: drafts and channels by the decisions of another take none. */
export const canBeMended = (result) => Boolean(result) && result.id !== "draft" && result.guide === null;

/** Results that can be looked at as whole pictures, drafts last. */
export const results = () => (state.stack?.results ?? []).filter((r) => r.name !== "region");
export const resultOf = (id) => state.stack?.results.find((r) => r.id === id) ?? null;
/** The result that maps, retouching and saving are of: the chosen one, else the newest, else the draft. */
export function current() {
  if (!state.stack) return null; // a timer may ask once the last stack is closed
  const found = results();
  const view = viewOf();
  return found.find((r) => r.id === view.result) ?? found.filter((r) => r.id !== "draft").at(-1) ?? found[0] ?? null;
}
