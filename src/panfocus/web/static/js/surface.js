// The height of the scene in three dimensions: turned by hand or rocking, drawn with WebGL.

import { bytes } from "./api.js";
import { el, segments, tick } from "./dom.js";
import { dialog } from "./dialog.js";
import { pixelSize } from "./scalebar.js";
import { state, viewOf } from "./store.js";
import { number, t } from "./texts.js";

const VERTEX = `attribute vec3 place; attribute vec2 at; uniform mat4 view; varying vec2 uv;
void main() { uv = at; gl_Position = view * vec4(place, 1.0); }`;
const FRAGMENT = `precision mediump float; uniform sampler2D picture; varying vec2 uv;
void main() { gl_FragColor = texture2D(picture, uv); }`;

export async function showSurface(result) {
  const base = `/api/stacks/${state.stack.id}/surface/${result.id}`;
  const told = viewOf().pixelUm;
  const isTrue = Boolean(result.maps.depth?.unit === "µm" && pixelSize());
  const canvas = el("canvas", { class: "solid", width: 960, height: 640, tabIndex: 0, role: "img", "aria-label": t("solid.label") });
  const gl = canvas.getContext("webgl", { antialias: true });
  const pose = { turn: 0.35, tilt: 0.5, far: 1.7, rocks: !matchMedia("(prefers-reduced-motion: reduce)").matches, height: 1, paint: "picture" };
  const slider = el("input", { type: "range", min: 0, max: 3, step: 0.05, value: 1, "aria-label": t("solid.height"), on: { input: () => { pose.height = Number(slider.value); stretch.textContent = `× ${number(pose.height, 2)}`; } } });
  const stretch = el("output", { class: "number small quiet" }, "× 1");
  const paint = segments(t("solid.paint"), [["picture", t("solid.picture")], ["depth", t("map.depth")]], "picture", (value) => { pose.paint = value; });
  let running = true;
  const body = gl
    ? el("div", { class: "stack" }, canvas, el("div", { class: "row wrap" }, tick(t("solid.rock"), pose.rocks, (on) => { pose.rocks = on; }), paint, el("label", { class: "row grow" }, el("span", { class: "quiet small" }, t("solid.height")), slider, stretch)), el("p", { class: "quiet small" }, t(isTrue ? "solid.true" : "solid.stretched"), " ", t("solid.help")))
    : el("p", {}, t("solid.none"));
  dialog(t("see.solid"), body, { wide: true, closed: () => { running = false; gl?.getExtension("WEBGL_lose_context")?.loseContext(); } });
  if (!gl) return;
  const tail = `v=${state.stack.mended}`;
  const [data, image, depth] = await Promise.all([bytes(`${base}/mesh?${tail}${told ? `&pixel=${told}` : ""}`), load(`${base}/texture?${tail}`), load(`${base}/texture?of=depth&${tail}`)]);
  if (!running) return; // closed while it was on its way
  const [points, triangles] = new Uint32Array(data, 0, 2);
  const places = new Float32Array(data, 8, points * 3);
  const at = new Float32Array(data, 8 + points * 12, points * 2);
  const faces = new Uint32Array(data, 8 + points * 20, triangles * 3);
  const program = link(gl);
  gl.useProgram(program);
  gl.getExtension("OES_element_index_uint");
  fill(gl, program, "place", places, 3);
  fill(gl, program, "at", at, 2);
  gl.bindBuffer(gl.ELEMENT_ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ELEMENT_ARRAY_BUFFER, faces, gl.STATIC_DRAW);
  const painted = { picture: texture(gl, image), depth: texture(gl, depth) };
  gl.enable(gl.DEPTH_TEST);
  gl.clearColor(0.05, 0.055, 0.06, 1);
  steer(canvas, pose);
  const where = gl.getUniformLocation(program, "view");
  const begun = performance.now();
  let drawn = "";
  const frame = (now) => {
    if (!running || !canvas.isConnected) return;
    requestAnimationFrame(frame);
    const told = JSON.stringify(pose);
    if (!pose.rocks && told === drawn) return; // nothing has changed: let the processor rest
    drawn = told;
    const turn = pose.turn + (pose.rocks ? 0.35 * Math.sin((now - begun) / 900) : 0);
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clear(gl.COLOR_BUFFER_BIT | gl.DEPTH_BUFFER_BIT);
    gl.bindTexture(gl.TEXTURE_2D, painted[pose.paint]);
    gl.uniformMatrix4fv(where, false, matrix(turn, pose, canvas.width / canvas.height));
    gl.drawElements(gl.TRIANGLES, triangles * 3, gl.UNSIGNED_INT, 0);
  };
  requestAnimationFrame(frame);
}

function texture(gl, image) {
  const made = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, made);
  gl.pixelStorei(gl.UNPACK_FLIP_Y_WEBGL, true);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGB, gl.RGB, gl.UNSIGNED_BYTE, image);
  for (const [name, value] of [[gl.TEXTURE_MIN_FILTER, gl.LINEAR], [gl.TEXTURE_MAG_FILTER, gl.LINEAR], [gl.TEXTURE_WRAP_S, gl.CLAMP_TO_EDGE], [gl.TEXTURE_WRAP_T, gl.CLAMP_TO_EDGE]]) gl.texParameteri(gl.TEXTURE_2D, name, value);
  return made;
}

function load(address) {
  return new Promise((done, fail) => {
    const image = new Image();
    image.onload = () => done(image);
    image.onerror = () => fail(new Error(address));
    image.src = address;
  });
}

function link(gl) {
  const program = gl.createProgram();
  for (const [kind, text] of [[gl.VERTEX_SHADER, VERTEX], [gl.FRAGMENT_SHADER, FRAGMENT]]) {
    const shader = gl.createShader(kind);
    gl.shaderSource(shader, text);
    gl.compileShader(shader);
    gl.attachShader(program, shader);
  }
  gl.linkProgram(program);
  return program;
}

function fill(gl, program, name, values, size) {
  const at = gl.getAttribLocation(program, name);
  gl.bindBuffer(gl.ARRAY_BUFFER, gl.createBuffer());
  gl.bufferData(gl.ARRAY_BUFFER, values, gl.STATIC_DRAW);
  gl.enableVertexAttribArray(at);
  gl.vertexAttribPointer(at, size, gl.FLOAT, false, 0, 0);
}

/** Column by column: height stretched, turned about the upright axis, tilted, moved off, in perspective. */
function matrix(turn, pose, aspect) {
  const [c, s, d, e] = [Math.cos(turn), Math.sin(turn), Math.cos(pose.tilt), Math.sin(pose.tilt)];
  const h = pose.height;
  const rows = [[c, 0, s * h], [e * s, d, -e * c * h], [-d * s, e, d * c * h]]; // x, y, z of the camera
  const f = 1.8;
  const [near, far] = [0.05, 20];
  const a = (far + near) / (near - far);
  const b = (2 * far * near) / (near - far);
  const column = (n) => [(f / aspect) * rows[0][n], f * rows[1][n], a * rows[2][n], -rows[2][n]];
  return new Float32Array([...column(0), ...column(1), ...column(2), 0, 0, a * -pose.far + b, pose.far]);
}

function steer(canvas, pose) {
  canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); pose.rocks = false; });
  canvas.addEventListener("pointermove", (event) => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    pose.turn += event.movementX / 200;
    pose.tilt = Math.min(Math.max(pose.tilt + event.movementY / 200, -1.4), 1.4);
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    pose.far = Math.min(Math.max(pose.far * Math.exp(event.deltaY / 800), 0.5), 6);
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [-0.1, 0], ArrowRight: [0.1, 0], ArrowUp: [0, -0.1], ArrowDown: [0, 0.1] }[event.key];
    if (!by) return;
    event.preventDefault();
    pose.rocks = false;
    pose.turn += by[0];
    pose.tilt = Math.min(Math.max(pose.tilt + by[1], -1.4), 1.4);
  });
}
