// Begins the page: texts, what is open, the parts of the page, and the line to the server.

import { listen } from "./api.js";
import { speak, t } from "./texts.js";
import { changed, hearJob, hearStrokes, state, refresh, settled, show, reload, tell } from "./store.js";
import { buildShell } from "./shell.js";
import { toast, refusal } from "./toast.js";

async function begin() {
  await speak();
  await refresh();
  buildShell();
  const wanted = decodeURIComponent(location.hash.slice(1));
  const first = state.stacks.find((s) => s.id === wanted) ?? state.stacks[0];
  await show(first?.id ?? null).catch(refusal);
  listen((event) => hear(event).catch(refusal), lost);
}

/** Ask what is open; show the first that comes, and another one where what is shown was closed. */
async function catchUp() {
  const hadNone = !state.stacks.length;
  await refresh();
  await settled(); // whoever has chosen a stack meanwhile sees that one
  const isOpen = state.stacks.some((s) => s.id === state.stack?.id);
  if (state.stack ? !isOpen : hadNone) await show(state.stacks[0]?.id ?? null);
}

let isLost = null;
function lost(now) {
  if (now && isLost === null) {
    isLost = setTimeout(() => toast(t("lost"), { kind: "bad", key: "lost", stays: true }), 1500);
  } else if (!now) {
    clearTimeout(isLost);
    isLost = null;
    toast("", { key: "lost", gone: true });
    catchUp().then(reload).catch(refusal); // what was told before the line stood is made up for
  }
}

async function hear(event) {
  if (event.kind === "job") {
    const { job } = event;
    hearJob(job);
    tell("job", job);
    if (job.stack === state.stack?.id && job.state === "failed" && job.kind !== "draft") refusal({ facts: job.error });
  } else if (event.kind === "stack") {
    changed(event.id);
    if (event.id === state.stack?.id) await reload();
  } else if (event.kind === "strokes") {
    const isNews = hearStrokes(event);
    tell("strokes", event);
    if (isNews) tell("view");
  } else if (event.kind === "saved") {
    tell("saved", event);
  } else if (event.kind === "stacks") {
    await catchUp();
  } else if (event.kind === "missed") { // this page was too slow to be told of all
    await catchUp();
    await reload();
  }
}

begin().catch((error) => {
  document.getElementById("main").textContent = String(error?.facts?.what ?? error);
  throw error;
});
