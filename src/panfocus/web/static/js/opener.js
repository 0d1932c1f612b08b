// Open: what lies in the folders that were given, and files that are dropped onto the page.

import { get, post, put, Refusal } from "./api.js";
import { clear, el, glyph, iconButton } from "./dom.js";
import { state, refresh, show, watch } from "./store.js";
import { t } from "./texts.js";
import { openRead } from "./reading.js";
import { problemBox, refusal, toast } from "./toast.js";

export function openPage() {
  const listing = el("div", { class: "listing" }, el("p", { class: "quiet" }, t("loading")));
  const picker = el("input", { type: "file", multiple: true, accept: `image/*,${state.taken.join(",")}`, class: "out-of-sight", tabIndex: -1, "aria-hidden": "true", on: { change: () => upload([...picker.files].map(plainFile)) } });
  const folders = el("input", { type: "file", webkitdirectory: true, class: "out-of-sight", tabIndex: -1, "aria-hidden": "true", on: { change: () => uploadFolder([...folders.files]) } });
  const drop = el("section", { class: "drop", "aria-label": t("drop.title") },
    glyph("up"), el("h2", {}, t("drop.title")), el("p", { class: "quiet" }, t("drop.text")),
    el("div", { class: "row wrap" }, el("button", { type: "button", on: { click: () => picker.click() } }, t("drop.choose")), el("button", { type: "button", on: { click: () => folders.click() } }, t("drop.folder"))), picker, folders);
  const problems = el("div", { class: "stack", role: "status" });
  const drawProblems = () => clear(problems, state.problems.map(problemBox));
  const stops = [watch("stacks", drawProblems), watch("shown", () => { for (const stop of stops) stop(); })];
  drawProblems();

  let going = 0;
  async function go(path) {
    going += 1;
    const mine = going;
    try {
      const facts = await get(`/api/folder?path=${encodeURIComponent(path)}`);
      if (mine === going) clear(listing, view(facts));
    } catch (error) {
      if (mine === going) clear(listing, el("p", {}, t("folder.fail")));
      refusal(error);
    }
  }

  function view(facts) {
    const name = facts.path.split(/[\\/]/).filter(Boolean).at(-1) ?? facts.path;
    const enter = (folder) => el("li", {}, el("button", { type: "button", class: "plain entry", on: { click: () => go(folder.path) } }, glyph("folder"), el("span", { class: "cut grow" }, folder.name),
      folder.pictures ? el("span", { class: "quiet small number" }, t("folder.pictures", { count: folder.pictures })) : null),
      folder.pictures > 1 ? el("button", { type: "button", on: { click: () => openPaths([folder.path]) } }, t("folder.open")) : null,
      folder.pictures > 1 ? otherwise(folder) : null);
    const otherwise = (one) => (one.ways.length ? iconButton("axes", t("read.of", { name: one.name }), () => openRead(one.path, one.name, one.ways), { class: "plain" }) : null);
    const file = (one) => el("li", {}, el("button", { type: "button", class: "plain entry", on: { click: () => openPaths([one.path]) } }, glyph("file"), el("span", { class: "cut grow" }, one.name)), otherwise(one));
    const special = facts.files.filter((f) => f.stack);
    const empty = !facts.folders.length && !special.length && facts.pictures < 2;
    return [
      el("div", { class: "row head" },
        facts.parent ? iconButton("left", t("folder.up"), () => go(facts.parent), { class: "plain" }) : null,
        el("div", { class: "grow cut" }, el("h2", { class: "cut" }, name), el("p", { class: "quiet small cut", title: facts.path }, facts.path)),
        facts.evaluation ? el("button", { type: "button", class: "main", on: { click: () => openPaths([facts.path]) } }, t("folder.compare")) : null,
        facts.pictures > 1 && !facts.evaluation ? el("button", { type: "button", class: "main", on: { click: () => openPaths([facts.path]) } }, t("folder.openall", { count: facts.pictures })) : null,
        facts.pictures > 1 && !facts.evaluation ? otherwise({ ...facts, name }) : null),
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

const AT_ONCE = 4; // files on their way
const isZarr = (name) => name.toLowerCase().endsWith(".zarr");
const BESIDE = ["metadata.txt", ".companion.ome"]; // what tells of planes and sets
/** Whether a file of a drop is sent: pictures, and all that a Zarr consists of. */
function isSent(path) {
  const parts = path.split("/");
  if (parts.slice(0, -1).some(isZarr)) return true;
  const isHidden = parts.some((part) => part.startsWith("."));
  return !isHidden && (isTaken(path) || BESIDE.some((ending) => path.toLowerCase().endsWith(ending)));
}

/** Send files, each under its path in what was dropped, a few at a time; and show the first stack of them. */
async function upload(found, title = "") {
  const sent = found.filter(({ path }) => isSent(path));
  if (!sent.length) { toast(t("drop.none"), { kind: "bad" }); return; }
  try {
    const { id } = await post("/api/uploads");
    let next = 0;
    const send = async () => {
      while (next < sent.length) {
        const { file, path } = sent[next];
        next += 1;
        toast(t("drop.sending", { n: next, count: sent.length }), { key: "upload", stays: true });
        await put(`/api/uploads/${id}/${path.split("/").map(encodeURIComponent).join("/")}`, await file());
      }
    };
    const senders = Array.from({ length: AT_ONCE }, () => send().catch((error) => { next = sent.length; throw error; }));
    const failed = (await Promise.allSettled(senders)).find((one) => one.status === "rejected");
    if (failed) throw failed.reason;
    toast("", { key: "upload", gone: true });
    const { id: stack, problems } = await post("/api/stacks", { upload: id, title: title || nameOf(sent) });
    await refresh();
    await show(stack);
    for (const facts of problems) refusal(new Refusal(facts));
  } catch (error) {
    toast("", { key: "upload", gone: true });
    refusal(error);
  }
}

/** A file that lies in no folder. */
const plainFile = (file) => ({ path: file.name, file: () => file });

const nameOf = (sent) => (sent.length === 1 ? sent[0].path : `${sent[0].path} + ${sent.length - 1}`);

/** A folder by its name, and what is in it by paths below it; a Zarr is told by its own name, too. */
const below = (name, path) => (isZarr(name) ? `${name}/${path}` : path);

/** A folder that was chosen: its files come with the paths that they have from it on. */
function uploadFolder(files) {
  const [name] = files[0]?.webkitRelativePath.split("/") ?? [""];
  return upload(files.map((file) => ({ path: below(name, file.webkitRelativePath.slice(name.length + 1)), file: () => file })), name);
}

const fileOf = (entry, path) => ({ path, file: () => new Promise((done, fail) => entry.file(done, fail)) });

/** All files in a folder that was dropped; a browser hands them over in parts. */
async function filesIn(folder, path = "") {
  const reader = folder.createReader();
  const out = [];
  for (;;) {
    const part = await new Promise((done, fail) => reader.readEntries(done, fail));
    if (!part.length) return out;
    for (const entry of part) {
      if (entry.isDirectory) out.push(...await filesIn(entry, `${path}${entry.name}/`));
      else out.push(fileOf(entry, path + entry.name));
    }
  }
}

/** Files that are dropped together are one stack; folders are what is in them. */
async function take(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  const loose = entries.length ? entries.filter((entry) => entry.isFile).map((entry) => fileOf(entry, entry.name)) : [...transfer.files].map(plainFile);
  const folders = entries.filter((entry) => entry.isDirectory);
  if (loose.length || !folders.length) await upload(loose);
  for (const folder of folders) {
    const files = await filesIn(folder);
    await upload(files.map(({ path, file }) => ({ path: below(folder.name, path), file })), folder.name);
  }
}

/** Take files that are dropped anywhere on the page. */
export function dropAnywhere() {
  let depth = 0;
  const isFiles = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragenter", (event) => {
    if (!isFiles(event)) return;
    event.preventDefault(); // what lies under the pointer may be drawn anew just before files are let go
    depth += 1;
    document.body.classList.add("dragging");
  });
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
