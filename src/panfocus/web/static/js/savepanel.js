import { el } from "./dom.js";
export function savePanel() { return { node: el("p", {}, "") }; }
