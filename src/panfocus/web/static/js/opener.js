// Open: what lies in the folders that were given, and files that are dropped onto the page.

import { get, post, put } from "./api.js";
import { clear, el, glyph, iconButton } from "./dom.js";
import { state, refresh, show } from "./store.js";
import { t } from "./texts.js";
import { linesOf, refusal, toast } from "./toast.js";

export function openPage() {
  const listing = el("div", { class: "listing" }, el("p", { class: "quiet" }, t("loading")));
  const picker = el("input", { type: "file", multiple: true, accept: `image/*,${state.taken.join(",")}`, class: "out-of-sight", tabIndex: -1, "aria-hidden": "true", on: { change: () => upload([...picker.files]) } });
  const drop = el("section", { class: "drop", "aria-label": t("drop.title") },
    glyph("up"), el("h2", {}, t("drop.title")), el("p", { class: "quiet" }, t("drop.text")),
    el("button", { type: "button", on: { click: () => picker.click() } }, t("drop.choose")), picker);
  const problems = state.problems.map((facts) => {
    const [what, lines] = linesOf(facts);
    return el("div", { class: "problem" }, glyph("warn"), el("div", {}, el("strong", {}, what), lines.map((l) => el("p", { class: "small" }, l))));
  });

  async function go(path) {
    try {
      const facts = await get(`/api/folder?path=${encodeURIComponent(path)}`);
      clear(listing, view(facts));
    } catch (error) {
      clear(listing, el("p", {}, t("folder.fail")));
      refusal(error);
    }
  }

  function view(facts) {
    const name = facts.path.split(/[\\/]/).filter(Boolean).at(-1) ?? facts.path;
    const enter = (folder) => el("li", {}, el("button", { type: "button", class: "plain entry", on: { click: () => go(folder.path) } }, glyph("folder"), el("span", { class: "cut grow" }, folder.name),
      folder.pictures ? el("span", { class: "quiet small number" }, t("folder.pictures", { count: folder.pictures })) : null),
      folder.pictures > 1 ? el("button", { type: "button", on: { click: () => openPaths([folder.path]) } }, t("folder.open")) : null);
    const file = (one) => el("li", {}, el("button", { type: "button", class: "plain entry", on: { click: () => openPaths([one.path]) } }, glyph("file"), el("span", { class: "cut grow" }, one.name)));
    const special = facts.files.filter((f) => f.stack);
    const empty = !facts.folders.length && !special.length && facts.pictures < 2;
    return [
      el("div", { class: "row head" },
        facts.parent ? iconButton("left", t("folder.up"), () => go(facts.parent), { class: "plain" }) : null,
        el("div", { class: "grow cut" }, el("h2", { class: "cut" }, name), el("p", { class: "quiet small cut", title: facts.path }, facts.path)),
        facts.evaluation ? el("button", { type: "button", class: "main", on: { click: () => openPaths([facts.path]) } }, t("folder.compare")) : null,
        facts.pictures > 1 && !facts.evaluation ? el("button", { type: "button", class: "main", on: { click: () => openPaths([facts.path]) } }, t("folder.openall", { count: facts.pictures })) : null),
      empty ? el("p", { class: "quiet" }, t("folder.empty")) : el("ul", { class: "entries" }, facts.folders.map(enter), special.map(file)),
    ];
  }

  const roots = state.folders.length > 1 ? el("div", { class: "row wrap" }, state.folders.map((f) => el("button", { type: "button", on: { click: () => go(f) } }, glyph("folder"), f.split("/").at(-1)))) : null;
  if (state.folders.length) go(state.folders[0]);
  return el("div", { class: "opener" }, el("h1", {}, t("open.title")), problems, el("div", { class: "opener-grid" }, el("section", { class: "card", "aria-label": t("open.folder") }, roots, listing), drop));
}

export async function openPaths(paths) {
  try {
    const { id } = await post("/api/stacks", { paths });
    await refresh();
    await show(id);
  } catch (error) { refusal(error); }
}

const isTaken = (name) => state.taken.some((ending) => name.toLowerCase().endsWith(ending));

/** Send files as one stack, and show it. */
async function upload(files, title = "") {
  const pictures = files.filter((f) => isTaken(f.name));
  if (!pictures.length) { toast(t("drop.none"), { kind: "bad" }); return; }
  try {
    const { id } = await post("/api/uploads");
    for (const [n, file] of pictures.entries()) {
      toast(t("drop.sending", { n: n + 1, count: pictures.length }), { key: "upload", stays: true });
      await put(`/api/uploads/${id}/${encodeURIComponent(file.name)}`, file);
    }
    toast("", { key: "upload", gone: true });
    const { id: stack } = await post("/api/stacks", { upload: id, title: title || nameOf(pictures) });
    await refresh();
    await show(stack);
  } catch (error) {
    toast("", { key: "upload", gone: true });
    refusal(error);
  }
}

const nameOf = (files) => (files.length === 1 ? files[0].name : `${files[0].name} + ${files.length - 1}`);

const fileOf = (entry) => new Promise((done, fail) => entry.file(done, fail));

/** All files of a folder that was dropped; a browser hands them over in parts. */
async function filesOf(folder) {
  const reader = folder.createReader();
  const out = [];
  for (;;) {
    const part = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!part.length) return out;
    out.push(...part.filter((entry) => entry.isFile && !entry.name.startsWith(".")));
  }
}

/** Files that are dropped together are one stack, and so is each folder. */
async function take(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const loose = entries.length ? [] : [...transfer.files];
  const folders = entries.filter((entry) => entry.isDirectory);
  for (const entry of entries) if (entry.isFile) loose.push(await fileOf(entry));
  if (loose.length || !folders.length) await upload(loose);
  for (const folder of folders) {
    const files = await Promise.all((await filesOf(folder)).map(fileOf));
    await upload(files, folder.name);
  }
}

/** Take files that are dropped anywhere on the page. */
export function dropAnywhere() {
  let depth = 0;
  const isFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragenter", (event) => { if (isFiles(event)) { depth += 1; document.body.classList.add("dragging"); } });
  addEventListener("dragleave", () => { depth -= 1; if (depth <= 0) { depth = 0; document.body.classList.remove("dragging"); } });
  addEventListener("dragover", (event) => { if (isFiles(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault();
    depth = 0;
    document.body.classList.remove("dragging");
    take(event.dataTransfer).catch(refusal);
  });
}
