// Windows over the page, on the browser's own <dialog>: it keeps the focus in and Escape closes it.

import { el, iconButton, newId } from "./dom.js";
import { t } from "./texts.js";

export function dialog(title, content, { foot = [], wide = false, closed = () => {} } = {}) {
  const id = newId("d");
  const close = () => box.close();
  const box = el("dialog", { class: wide ? "wide" : "", "aria-labelledby": id, on: {
    close: () => { box.remove(); closed(); },
    click: (event) => { if (event.target === box) close(); },
    keydown: (event) => event.stopPropagation(),
  } },
    el("div", { class: "sheet" },
      el("header", { class: "row" }, el("h2", { id, class: "grow" }, title), iconButton("close", t("close"), close, { class: "plain" })),
      el("div", { class: "body" }, content),
      foot.length ? el("footer", { class: "row wrap" }, foot) : null));
  document.body.append(box);
  box.showModal();
  return { box, close };
}

/** Ask before something is lost; true for yes. */
export function confirm(title, text, yes) {
  return new Promise((answer) => {
    let said = false;
    const { close } = dialog(title, el("p", {}, text), {
      foot: [
        el("button", { type: "button", on: { click: () => close() } }, t("cancel")),
        el("button", { type: "button", class: "main", on: { click: () => { said = true; close(); } } }, yes),
      ],
      closed: () => answer(said),
    });
  });
}
