import { el } from "./dom.js";
export function comparePage() { return el("p", {}, ""); }
