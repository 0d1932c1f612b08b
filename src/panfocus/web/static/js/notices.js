// What is to be known whichever panel is open: strokes that an earlier session left unsaved, and
// why there is no draft.

import { get, post } from "./api.js";
import { clear, el, glyph } from "./dom.js";
import { state, tell, watch } from "./store.js";
import { t } from "./texts.js";
import { problemBox, refusal } from "./toast.js";

export function notices() {
  const { id } = state.stack;
  const left = el("div", {});
  const undrafted = el("div", {});
  const box = el("div", { class: "notice stack", role: "status" }, left, undrafted);
  let asking = 0;

  async function ask() {
    asking += 1;
    const mine = asking;
    const { unsaved } = await get(`/api/stacks/${id}/strokes`);
    if (mine !== asking) return;
    clear(left, unsaved ? offer(unsaved.strokes) : null);
  }

  function offer(count) {
    const answer = async (take) => {
      try {
        await post(`/api/stacks/${id}/restore`, { take });
        tell("mended");
      } catch (error) { refusal(error); }
    };
    return el("div", { class: "problem" }, glyph("warn"), el("div", { class: "stack tight" }, el("p", {}, t("mend.left", { count })),
      el("div", { class: "row" }, el("button", { type: "button", class: "main", on: { click: () => answer(true) } }, t("mend.take")), el("button", { type: "button", on: { click: () => answer(false) } }, t("mend.forget")))));
  }

  function tellDraft() {
    const facts = state.stack?.id === id ? state.stack.undrafted : null;
    const key = JSON.stringify(facts ?? null);
    if (undrafted.dataset.of === key) return; // a reader is not told the same twice
    undrafted.dataset.of = key;
    clear(undrafted, facts ? problemBox(facts) : null);
  }

  const again = () => { ask().catch(refusal); };
  const stops = [watch("stack", tellDraft), watch("mended", again), watch("strokes", (event) => { if (event.id === id) again(); })];
  const stop = watch("shown", () => { asking += 1; for (const end of [...stops, stop]) end(); });
  tellDraft();
  again();
  return box;
}
