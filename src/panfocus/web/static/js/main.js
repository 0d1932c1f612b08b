// Begins the page: texts, what is open, the parts of the page, and the line to the server.

import { listen } from "./api.js";
import { speak, t } from "./texts.js";
import { changed, state, refresh, show, reload, tell } from "./store.js";
import { buildShell } from "./shell.js";
import { toast, refusal } from "./toast.js";

async function begin() {
  await speak();
  await refresh();
  buildShell();
  const wanted = decodeURIComponent(location.hash.slice(1));
  const first = state.stacks.find((s) => s.id === wanted) ?? state.stacks[0];
  await show(first?.id ?? null);
  listen(hear, lost);
}

let isLost = null;
function lost(now) {
  if (now && isLost === null) {
    isLost = setTimeout(() => toast(t("lost"), { kind: "bad", key: "lost", stays: true }), 1500);
  } else if (!now) {
    clearTimeout(isLost);
    isLost = null;
    toast("", { key: "lost", gone: true });
    refresh().then(reload).catch(refusal); // what was told before the line stood is made up for
  }
}

async function hear(event) {
  if (event.kind === "job") {
    const { job } = event;
    if (job.state === "running" || job.state === "waiting") state.jobs.set(job.id, job);
    else { state.jobs.delete(job.id); state.ended.add(job.id); }
    tell("job", job);
    if (job.stack === state.stack?.id && job.state === "failed") refusal({ facts: job.error });
  } else if (event.kind === "stack") {
    changed(event.id);
    if (event.id === state.stack?.id) await reload();
  } else if (event.kind === "strokes") {
    tell("strokes", event);
  } else if (event.kind === "saved") {
    tell("saved", event);
  } else if (event.kind === "stacks") {
    const before = state.stacks.length;
    await refresh();
    if (!state.stacks.some((s) => s.id === state.stack?.id)) await show(state.stacks[0]?.id ?? null);
    else if (state.stacks.length > before && !state.stack) await show(state.stacks.at(-1).id);
  }
}

begin().catch((error) => {
  document.getElementById("main").textContent = String(error?.facts?.what ?? error);
  throw error;
});
