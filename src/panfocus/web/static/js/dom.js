// Small helpers for building the page.

/** Make an element: properties by name, `on` a map of listeners, children as nodes or texts. */
export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null) continue;
    if (name === "on") for (const [event, act] of Object.entries(value)) node.addEventListener(event, act);
    else if (name === "class") node.className = value;
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name in node && name !== "list" && name !== "form") node[name] = value;
    else node.setAttribute(name, value);
  }
  node.append(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

const SHAPES = {
  open: ["M3 6.5a2 2 0 0 1 2-2h3.2l2 2H15a2 2 0 0 1 2 2V14a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z"],
  close: ["M5 5l10 10", "M15 5L5 15"],
  sun: ["M10 6.5a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7z", "M10 2v1.5M10 16.5V18M2 10h1.5M16.500 10H18M4.300 4.300l1 1M14.700 14.700l1 1M15.700 4.300l-1 1M5.300 14.700l-1 1"],
  moon: ["M16 11.5A6.500 6.500 0 1 1 8.500 4a5.200 5.200 0 0 0 7.500 7.500z"],
  help: ["M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14z", "M8 8.200a2 2 0 1 1 2.700 1.900c-.5.2-.7.500-.7 1.100", "M10 13.700v.1"],
  fit: ["M4 8V4h4", "M12 4h4v4", "M16 12v4h-4", "M8 16H4v-4"],
  plus: ["M10 4v12", "M4 10h12"],
  minus: ["M4 10h12"],
  trash: ["M4 6h12", "M8 6V4h4v2", "M6 6l.7 10h6.600L14 6"],
  left: ["M12 4l-6 6 6 6"],
  right: ["M8 4l6 6-6 6"],
  folder: ["M3 6.5a2 2 0 0 1 2-2h3.200l2 2H15a2 2 0 0 1 2 2V14a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2z"],
  up: ["M10 16V4", "M5 9l5-5 5 5"],
  file: ["M5 3h6l4 4v10H5z", "M11 3v4h4"],
  axes: ["M6 3.500V14h10.500", "M4 5.500l2-2 2 2", "M14.500 12l2 2-2 2", "M6 14l-3 3"],
  undo: ["M7 5L3.500 8.500 7 12", "M3.500 8.500H12a4 4 0 0 1 0 8h-2"],
  redo: ["M13 5l3.500 3.500L13 12", "M16.500 8.500H8a4 4 0 0 0 0 8h2"],
  brush: ["M16.500 3.500L8 12", "M8 12c-2.500-.5-4 1-4.200 4.200C6.500 16.500 8.500 15 8 12z"],
  erase: ["M8.500 15.500L3.800 10.800 11 3.600l5.400 5.400-6.500 6.500z", "M7 8l5 5", "M8.500 15.500H16"],
  box: ["M4 5h12v10H4z"],
  eye: ["M2.500 10S5.500 5 10 5s7.500 5 7.500 5-3 5-7.500 5-7.500-5-7.500-5z", "M10 8a2 2 0 1 0 0 4 2 2 0 0 0 0-4z"],
  cube: ["M10 3l6 3.500v7L10 17l-6-3.500v-7z", "M4 6.500l6 3.500 6-3.500", "M10 10v7"],
  copy: ["M7 7h9v9H7z", "M4 13V4h9"],
  check: ["M4 10.500l4 4 8-9"],
  warn: ["M10 3.500L17.500 16h-15z", "M10 8v4", "M10 14v.1"],
  stop: ["M6 6h8v8H6z"],
  save: ["M4 4h9l3 3v9H4z", "M7 4v4h5V4", "M7 16v-5h6v5"],
};

/** A glyph that says nothing to a screen reader: its button has the words. */
export function glyph(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 20 20");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("glyph");
  for (const d of SHAPES[name] ?? []) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}

/** A button with a glyph and its name as a label and tooltip. */
export function iconButton(name, label, act, props = {}) {
  const { class: more = "", ...rest } = props;
  return el("button", { type: "button", class: `icon ${more}`, title: label, "aria-label": label, on: { click: act }, ...rest }, glyph(name));
}

/** Call at most once a pause, with the last arguments. */
export function calm(act, pause) {
  let timer = 0;
  let last = [];
  return (...args) => {
    last = args;
    if (timer) return;
    timer = setTimeout(() => { timer = 0; act(...last); }, pause);
  };
}

/** The same, one after the other: what waits until the last one has ended is done with the last arguments. */
export function calmInTurn(act, pause) {
  let busy = false;
  let waits = null;
  const go = calm(async (...args) => {
    if (busy) { waits = args; return; }
    busy = true;
    try { await act(...args); } finally {
      busy = false;
      const next = waits;
      waits = null;
      if (next) go(...next);
    }
  }, pause);
  return go;
}

export function clear(node, ...children) {
  node.replaceChildren(...children.flat(Infinity).filter((c) => c !== null && c !== undefined && c !== false));
  return node;
}

const nameOf = (node) => node.labels?.[0]?.textContent || node.getAttribute("aria-label") || node.dataset.value || node.textContent;

/** Draw a part of the page anew; the control that had the focus has it again, and of a text what was marked in it. */
export function anew(part, act) {
  const active = part.contains(document.activeElement) ? document.activeElement : null;
  const held = active && nameOf(active);
  const [start, end] = [active?.selectionStart ?? null, active?.selectionEnd];
  act();
  if (!held || part.contains(document.activeElement)) return;
  const again = [...part.querySelectorAll("input,select,button,summary,code")].find((n) => nameOf(n) === held);
  again?.focus({ preventScroll: true });
  if (start !== null) again?.setSelectionRange?.(start, end);
}

let count = 0;
export function newId(start = "n") {
  count += 1;
  return `${start}${count}`;
}

/** A label above its control, with a line of help below. */
export function field(label, control, help = "") {
  const id = control.id || (control.id = newId("f"));
  const about = help ? el("p", { class: "help", id: `${id}-help` }, help) : null;
  if (about) control.setAttribute("aria-describedby", about.id);
  return el("div", { class: "field" }, el("label", { htmlFor: id }, label), control, about);
}

/** A checkbox before its label. */
export function tick(label, checked, act, help = "") {
  const id = newId("t");
  const box = el("input", { type: "checkbox", id, checked, on: { change: () => act(box.checked) } });
  const about = help ? el("p", { class: "help", id: `${id}-help` }, help) : null;
  if (about) box.setAttribute("aria-describedby", about.id);
  return el("div", { class: "tick" }, box, el("label", { htmlFor: id }, label), about);
}

/** A row of buttons of which one is chosen; arrow keys move between them. */
export function segments(label, choices, chosen, act) {
  const group = el("div", { class: "segments", role: "radiogroup", "aria-label": label });
  const buttons = choices.map(([value, text, title]) => el("button", {
    type: "button", role: "radio", "aria-checked": String(value === chosen), title: title ?? text,
    tabIndex: value === chosen ? 0 : -1, data: { value },
    on: { click: () => set(value, true) },
  }, text));
  function set(value, tell) {
    for (const button of buttons) {
      const on = button.dataset.value === value;
      button.setAttribute("aria-checked", String(on));
      button.tabIndex = on ? 0 : -1;
    }
    if (tell) act(value);
  }
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    event.stopPropagation();
    const live = buttons.filter((b) => !b.disabled);
    const at = live.indexOf(document.activeElement);
    const next = live[(at + step + live.length) % live.length];
    next.focus();
    set(next.dataset.value, true);
  });
  group.append(...buttons);
  group.choose = (value) => set(value, false);
  return group;
}
