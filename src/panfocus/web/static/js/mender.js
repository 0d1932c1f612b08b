// The brush on the stage: follows the pointer, shows at once what will be painted, sends the stroke.
//
// Places are in pixels of the fused picture with centres at whole numbers, as the strokes' record
// has them; the viewer counts from the edge, half a pixel off.

import { el } from "./dom.js";
import { pictureOf } from "./look.js";
import { say } from "./readout.js";
import { canBeMended, state, tell, viewOf, watch, current } from "./store.js";
import { send, sourcePicture, sourceRecord, tools } from "./tools.js";

const STEPS = 6;

export class Mender {
  constructor(stage, screen) {
    this.stage = stage;
    this.screen = screen;
    this.canvas = el("canvas", { class: "brush", "aria-hidden": "true" });
    this.mask = document.createElement("canvas");
    this.pending = []; // strokes that are being drawn, or whose tiles are on their way
    this.drawing = null;
    this.at = null;
    this.tag = el("output", { class: "tag left small source", hidden: true });
    screen.append(this.canvas, this.tag);
    this.canvas.addEventListener("pointerdown", (e) => this.down(e));
    this.canvas.addEventListener("pointermove", (e) => this.move(e));
    this.canvas.addEventListener("pointerup", () => this.up());
    this.canvas.addEventListener("pointercancel", () => this.up());
    this.canvas.addEventListener("pointerleave", () => { this.at = null; this.draw(); });
    this.canvas.addEventListener("wheel", (e) => this.wheel(e), { passive: false });
    const sizes = new ResizeObserver(() => this.fit());
    sizes.observe(screen);
    this.stops = [watch("arranged", () => this.draw()), watch("tool", () => this.settle()), watch("mended", () => this.settle()), () => sizes.disconnect()];
    const stop = watch("shown", () => { for (const end of [...this.stops, stop]) end(); });
    this.fit();
    this.settle();
  }

  get isOn() {
    return tools.tool !== "none" && viewOf().tab === "mend" && !tools.panning && canBeMended(current());
  }

  settle() {
    const on = this.isOn;
    this.canvas.classList.toggle("on", Boolean(on));
    this.screen.classList.toggle("painting", Boolean(on));
    if (on && viewOf().a) { viewOf().a = null; tell("view"); }
    this.drop();
    this.draw();
  }

  fit() {
    const { width, height } = this.screen.getBoundingClientRect();
    for (const canvas of [this.canvas, this.mask]) {
      canvas.width = Math.max(Math.round(width * devicePixelRatio), 1);
      canvas.height = Math.max(Math.round(height * devicePixelRatio), 1);
    }
    this.draw();
  }

  /** A place on the page in pixels of a result: another one may be shown before a stroke is done. */
  place(event, result) {
    const box = this.screen.getBoundingClientRect();
    const point = this.stage.toFrame(event.clientX - box.left, event.clientY - box.top);
    return point && [point.x - result.field.left - 0.5, point.y - result.field.top - 0.5];
  }

  down(event) {
    const result = current();
    if (event.button !== 0 || this.drawing || !canBeMended(result)) return;
    const point = this.place(event, result);
    if (!point) return;
    event.preventDefault();
    this.screen.focus({ preventScroll: true });
    this.canvas.setPointerCapture(event.pointerId);
    this.begin(point);
  }

  begin(point) {
    const stroke = {
      kind: tools.tool === "rectangle" ? "rectangle" : "brush", points: [point], radius: tools.radius, hardness: tools.hardness,
      opacity: tools.opacity, source: sourceRecord(), match: tools.match, image: null, box: null, version: null, result: current(), stack: state.stack.id,
    };
    this.drawing = stroke;
    this.pending.push(stroke);
    this.seek(stroke, point);
    this.draw();
  }

  /** Fetch what is painted from, as far as it is seen, so that the stroke shows its pixels at once. */
  async seek(stroke, [x, y]) {
    const name = await sourcePicture(stroke.result, x, y);
    if (!name || state.stack?.id !== stroke.stack) return;
    if (this.drawing === stroke) this.name(name);
    const named = /^frame-(\d+)/.exec(name);
    if (named && stroke.source.frame === "sharpest") stroke.source = { frame: Number(named[1]), chosen: "sharpest" };
    const box = this.stage.seenBox();
    if (!box) return;
    const corner = this.stage.toPage(box[0], box[1]);
    const other = this.stage.toPage(box[0] + box[2], box[1] + box[3]);
    const wide = Math.min(Math.max(Math.round((other.x - corner.x) * devicePixelRatio), 1), 4096);
    const high = Math.min(Math.max(Math.round((other.y - corner.y) * devicePixelRatio), 1), 4096);
    const image = new Image();
    image.onload = () => { stroke.image = image; stroke.box = box; this.draw(); };
    image.src = `/api/stacks/${state.stack.id}/part/${encodeURIComponent(name)}?left=${box[0]}&top=${box[1]}&width=${box[2]}&height=${box[3]}&wide=${wide}&high=${high}`;
  }

  move(event) {
    const box = this.screen.getBoundingClientRect();
    this.at = [event.clientX - box.left, event.clientY - box.top];
    const point = this.stage.toImage(...this.at);
    if (point) tell("hover", { x: Math.floor(point.x), y: Math.floor(point.y) });
    if (this.drawing) {
      const events = event.getCoalescedEvents?.() ?? [event];
      for (const one of events.length ? events : [event]) this.extend(this.place(one, this.drawing.result));
    }
    this.draw();
  }

  extend(point) {
    const { points, kind, radius } = this.drawing;
    if (!point) return;
    if (kind === "rectangle") { points[1] = point; return; }
    const [x, y] = points.at(-1);
    if (Math.hypot(point[0] - x, point[1] - y) > Math.max(radius / 12, 0.5)) points.push(point);
  }

  up() {
    const stroke = this.drawing;
    if (!stroke) return;
    this.drawing = null;
    this.name(null);
    if (stroke.kind === "rectangle" && (stroke.points.length < 2 || stroke.points[0].some((v, n) => Math.abs(v - stroke.points[1][n]) < 2))) {
      this.pending = this.pending.filter((s) => s !== stroke);
      this.draw();
      return;
    }
    tools.undone = [];
    const round = (v) => Math.round(v * 100) / 100;
    send({
      kind: stroke.kind, points: stroke.points.map((p) => p.map(round)), source: stroke.source, radius: round(stroke.radius),
      hardness: stroke.hardness, opacity: stroke.opacity, match_brightness: stroke.match && tools.tool !== "eraser",
    }, stroke);
  }

  /** Say over the stage which picture is painted from; null for nothing. */
  name(picture) {
    this.tag.hidden = !picture;
    this.tag.textContent = picture ? say(pictureOf(picture)) : "";
  }

  /** Paint one dab in the middle of the stage: the brush of those who use the keyboard alone. */
  dab() {
    const box = this.screen.getBoundingClientRect();
    const point = this.stage.toImage(box.width / 2, box.height / 2);
    if (!point || !this.isOn) return;
    if (tools.tool === "rectangle") {
      const r = tools.radius;
      this.begin([point.x - r, point.y - r]);
      this.drawing.points[1] = [point.x + r, point.y + r];
    } else this.begin([point.x - 0.5, point.y - 0.5]);
    this.up();
  }

  wheel(event) {
    event.preventDefault();
    const box = this.screen.getBoundingClientRect();
    const viewport = this.stage.viewer.viewport;
    const at = viewport.pointFromPixel(new OpenSeadragon.Point(event.clientX - box.left, event.clientY - box.top), true);
    this.stage.zoomBy(Math.exp(-event.deltaY / 500), at);
  }

  /** Drop previews of strokes whose pixels have come from the server. */
  drop() {
    this.pending = this.pending.filter((s) => s === this.drawing || (!s.failed && (s.version === null || !this.hasCome(s.version))));
  }

  hasCome(version) {
    const layer = this.stage.layers.get("a");
    const shown = Number.parseInt(String(layer?.key ?? "").split("/")[2]?.split(".")[1] ?? -1, 10);
    return shown >= version && Boolean(layer.item) && !layer.old && layer.item.getFullyLoaded();
  }

  draw() {
    // a canvas that shows nothing is not drawn anew for every frame that is panned
    const isUsed = Boolean(this.isOn || this.pending.length);
    if (!isUsed && this.canvas.hidden) return;
    this.canvas.hidden = !isUsed;
    const pen = this.canvas.getContext("2d");
    pen.setTransform(1, 0, 0, 1, 0, 0);
    pen.clearRect(0, 0, this.canvas.width, this.canvas.height);
    if (!state.stack) return;
    this.drop();
    for (const stroke of this.pending) this.drawStroke(pen, stroke);
    if (this.pending.some((s) => s.version !== null)) setTimeout(() => this.draw(), 60);
    if (this.isOn) this.drawCursor(pen);
  }

  scale() {
    const a = this.stage.toPage(0, 0);
    const b = this.stage.toPage(1000, 0);
    return a && b ? (b.x - a.x) / 1000 : 1;
  }

  toPage([x, y]) {
    return this.stage.toPage(x + 0.5, y + 0.5);
  }

  drawStroke(pen, stroke) {
    const mask = this.mask.getContext("2d");
    const ratio = devicePixelRatio;
    mask.setTransform(1, 0, 0, 1, 0, 0);
    mask.globalCompositeOperation = "source-over";
    mask.clearRect(0, 0, this.mask.width, this.mask.height);
    mask.setTransform(ratio, 0, 0, ratio, 0, 0);
    mask.fillStyle = mask.strokeStyle = getComputedStyle(this.screen).getPropertyValue("--accent");
    if (stroke.kind === "rectangle") {
      const [a, b] = [stroke.points[0], stroke.points[1] ?? stroke.points[0]].map((p) => this.toPage(p));
      mask.fillRect(Math.min(a.x, b.x), Math.min(a.y, b.y), Math.abs(a.x - b.x), Math.abs(a.y - b.y));
    } else this.softLine(mask, stroke);
    if (stroke.image) {
      mask.globalCompositeOperation = "source-in";
      mask.globalAlpha = 1;
      const a = this.stage.toPage(stroke.box[0], stroke.box[1]);
      const b = this.stage.toPage(stroke.box[0] + stroke.box[2], stroke.box[1] + stroke.box[3]);
      mask.drawImage(stroke.image, a.x, a.y, b.x - a.x, b.y - a.y);
    }
    mask.globalAlpha = 1;
    pen.globalAlpha = (stroke.image ? 1 : 0.35) * stroke.opacity;
    pen.drawImage(this.mask, 0, 0);
    pen.globalAlpha = 1;
  }

  /** A line whose edge falls off from its hard core: wider and fainter below, narrow and full on top. */
  softLine(mask, stroke) {
    const scale = this.scale();
    mask.lineCap = mask.lineJoin = "round";
    const points = stroke.points.map((p) => this.toPage(p));
    for (let k = STEPS; k >= 1; k -= 1) {
      const share = stroke.hardness + ((1 - stroke.hardness) * (k - 0.5)) / STEPS;
      mask.globalAlpha = 1 / k;
      mask.lineWidth = Math.max(2 * stroke.radius * share * scale, 0.5);
      mask.beginPath();
      mask.moveTo(points[0].x, points[0].y);
      for (const p of points) mask.lineTo(p.x, p.y);
      if (points.length === 1) mask.lineTo(points[0].x + 0.01, points[0].y);
      mask.stroke();
    }
  }

  drawCursor(pen) {
    const ratio = devicePixelRatio;
    pen.setTransform(ratio, 0, 0, ratio, 0, 0);
    const byKeys = !this.at && this.screen.matches(":focus-visible");
    const box = this.screen.getBoundingClientRect();
    const at = this.at ?? (byKeys ? [box.width / 2, box.height / 2] : null);
    if (!at) return;
    const outline = (trace, dash = []) => {
      for (const [colour, width] of [["rgb(0 0 0 / 70%)", 3], ["#fff", 1.4]]) {
        pen.strokeStyle = colour;
        pen.lineWidth = width;
        pen.setLineDash(dash);
        pen.beginPath();
        trace();
        pen.stroke();
      }
      pen.setLineDash([]);
    };
    const ring = (radius, dash) => outline(() => pen.arc(at[0], at[1], Math.max(radius, 1), 0, 2 * Math.PI), dash);
    if (tools.tool === "rectangle") {
      ring(4);
      const [a, b] = this.drawing?.points.map((p) => this.toPage(p)) ?? [];
      if (b) outline(() => pen.rect(a.x, a.y, b.x - a.x, b.y - a.y));
      return;
    }
    ring(tools.radius * this.scale());
    if (tools.hardness < 0.95) ring(tools.radius * tools.hardness * this.scale(), [3, 4]);
  }

  /** While held: what would be painted from, over the picture. */
  async peek(on) {
    if (!on) { this.stage.set("part", null); this.name(null); return; }
    const result = current();
    if (!canBeMended(result)) return;
    const box = this.screen.getBoundingClientRect();
    const at = this.at ?? [box.width / 2, box.height / 2];
    const point = this.stage.toImage(at[0], at[1]);
    const name = point && await sourcePicture(result, point.x - 0.5, point.y - 0.5);
    if (!name || !this.peeking || current()?.id !== result.id) return;
    this.stage.set("part", pictureOf(name));
    this.name(name);
  }
}
