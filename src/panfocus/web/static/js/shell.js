// The frame of the page: bar, tabs of stacks, stage with its tools, panel, filmstrip.

import { del } from "./api.js";
import { el, clear, glyph, iconButton, newId } from "./dom.js";
import { LANGUAGES, language, speak, t } from "./texts.js";
import { state, show, viewOf, watch, tell } from "./store.js";
import { Stage } from "./viewer.js";
import { dress } from "./look.js";
import { toolbar } from "./toolbar.js";
import { readout } from "./readout.js";
import { strip } from "./strip.js";
import { fusePanel } from "./fusepanel.js";
import { seePanel } from "./seepanel.js";
import { mendPanel, attachMending } from "./mendpanel.js";
import { savePanel } from "./savepanel.js";
import { openPage, dropAnywhere } from "./opener.js";
import { attachKeys, showKeys } from "./keys.js";
import { comparePage } from "./comparepage.js";
import { refusal } from "./toast.js";
import { notices } from "./notices.js";

const PANELS = { fuse: fusePanel, see: seePanel, mend: mendPanel, save: savePanel };
let stage = null;

export function buildShell() {
  const skip = document.querySelector(".skip");
  skip.textContent = t("skip");
  skip.addEventListener("click", (event) => {
    event.preventDefault(); // the address keeps the name of the stack
    document.getElementById("panel")?.focus();
  });
  drawBar();
  drawMain();
  dropAnywhere();
  watch("stacks", drawBar);
  watch("shown", () => { drawBar(); drawMain(); });
  watch("stack", () => { if (stage) dress(stage); });
  watch("view", () => { if (stage) dress(stage); });
}

function switchTheme() {
  const next = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
  try { localStorage.setItem("panfocus-theme", next); } catch { document.documentElement.dataset.theme = next; }
  dispatchEvent(new Event("panfocus-theme"));
  drawBar();
}

async function switchLanguage(name) {
  try { localStorage.setItem("panfocus-language", name); } catch { /* for this visit alone */ }
  await speak(name);
  document.querySelector(".skip").textContent = t("skip");
  drawBar();
  drawMain();
}

function drawBar() {
  const dark = document.documentElement.dataset.theme === "dark";
  const tabs = state.stacks.map((s) => {
    const on = s.id === state.stack?.id;
    return el("div", { class: `tab${on ? " on" : ""}` },
      el("button", { type: "button", class: "plain name", "aria-current": on ? "page" : null, title: s.title, on: { click: () => show(s.id).catch(refusal) } }, s.title),
      iconButton("close", t("stack.close", { name: s.title }), () => del(`/api/stacks/${s.id}`).catch(refusal), { class: "plain slim" }));
  });
  const languages = el("select", { "aria-label": t("language"), class: "slim", on: { change: (event) => switchLanguage(event.target.value) } },
    Object.entries(LANGUAGES).map(([value, name]) => el("option", { value, selected: value === language() }, name)));
  clear(document.getElementById("bar"),
    el("button", { type: "button", class: "brand plain", title: t("open.title"), on: { click: () => show(null) } },
      el("img", { src: "/static/icon.svg", alt: "", width: 22, height: 22 }), el("span", {}, "panfocus")),
    el("nav", { class: "tabs", "aria-label": t("stacks") }, tabs),
    el("button", { type: "button", class: "plain open", title: t("open.title"), on: { click: () => show(null) } }, glyph("plus"), el("span", {}, t("open"))),
    el("div", { class: "grow" }),
    languages,
    iconButton(dark ? "sun" : "moon", t(dark ? "theme.light" : "theme.dark"), switchTheme, { class: "plain" }),
    iconButton("help", t("keys.title"), showKeys, { class: "plain" }));
  document.querySelector("#bar .tab.on")?.scrollIntoView({ block: "nearest", inline: "nearest" });
}

function drawMain() {
  const main = document.getElementById("main");
  stage?.close();
  stage = null;
  if (!state.stack) {
    history.replaceState(null, "", "#");
    main.className = "opening";
    clear(main, openPage());
    return;
  }
  history.replaceState(null, "", `#${state.stack.id}`);
  document.title = `${state.stack.title} · panfocus`;
  if (state.stack.kind === "evaluation") {
    main.className = "comparing";
    clear(main, comparePage());
    return;
  }
  main.className = "working";
  const screen = el("div", { class: "screen", tabIndex: 0, role: "application", "aria-label": t("stage.label") });
  const surface = el("section", { class: "stage", "aria-label": t("stage") }, screen);
  clear(main, surface, panel(), strip());
  stage = new Stage(screen);
  surface.prepend(toolbar(stage));
  screen.append(readout(stage, screen));
  attachKeys(stage, screen);
  attachMending(stage, screen);
  dress(stage);
}

function panel() {
  const view = viewOf();
  const body = el("div", { class: "panel-body", id: "panel", tabIndex: -1 });
  const ids = Object.fromEntries(Object.keys(PANELS).map((name) => [name, newId("tab")]));
  const tabs = Object.keys(PANELS).map((name) => el("button", {
    type: "button", role: "tab", id: ids[name], class: "plain", data: { tab: name }, "aria-controls": "panel",
    on: { click: () => choose(name), keydown: (event) => step(event, name) },
  }, t(`tab.${name}`)));
  let leave = () => {};
  function choose(name) {
    leave();
    view.tab = name;
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", String(tab.dataset.tab === name));
      tab.tabIndex = tab.dataset.tab === name ? 0 : -1;
    }
    body.setAttribute("role", "tabpanel");
    body.setAttribute("aria-labelledby", ids[name]);
    const made = PANELS[name](() => stage);
    leave = made.leave ?? (() => {});
    clear(body, made.node);
    body.scrollTop = 0;
    tell("tab", name);
  }
  function step(event, name) {
    const names = Object.keys(PANELS);
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    event.stopPropagation();
    const next = names[(names.indexOf(name) + by + names.length) % names.length];
    choose(next);
    tabs.find((tab) => tab.dataset.tab === next).focus();
  }
  const stop = watch("shown", () => { leave(); stop(); });
  queueMicrotask(() => choose(view.tab));
  return el("aside", { class: "panel", "aria-label": t("tools") }, el("div", { class: "panel-tabs", role: "tablist" }, tabs), notices(), body);
}
