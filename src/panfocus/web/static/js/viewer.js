// The stage: one viewer with deep zoom, or two that move together.
//
// Everything lies in one plane whose unit is the width of a frame, so that a frame, a result that is
// cropped to what all frames show, and a draft lie on top of each other.

import { calm } from "./dom.js";
import { state, tell } from "./store.js";

const TILE = 512;

/** How a picture of the stack is tiled, and where it lies in the plane. */
function place(stack, picture) {
  const { width, height, left = 0, top = 0, scale = 1 } = picture;
  const longest = Math.max(width, height);
  const maxLevel = Math.max(Math.ceil(Math.log2(longest)), 0);
  const minLevel = Math.max(maxLevel - Math.max(Math.ceil(Math.log2(longest / TILE)), 0), 0);
  const tail = picture.version ? `?v=${picture.version}${picture.fades ? "&fade=1" : ""}` : "";
  return {
    tileSource: {
      width, height, tileSize: TILE, tileOverlap: 0, minLevel, maxLevel, hasTransparency: () => Boolean(picture.fades),
      getTileUrl: (level, x, y) =>
        `/api/stacks/${stack.id}/tiles/${encodeURIComponent(picture.name)}/${maxLevel - level}/${x}_${y}${tail}`,
    },
    x: left / stack.width, y: top / stack.width, width: (width * scale) / stack.width,
  };
}

function makeViewer(node) {
  const viewer = OpenSeadragon({
    element: node, drawer: "canvas", showNavigationControl: false, showNavigator: false,
    minZoomImageRatio: 0.6, maxZoomPixelRatio: 4, visibilityRatio: 0.4, animationTime: 0.35,
    springStiffness: 9, blendTime: 0, imageSmoothingEnabled: true, immediateRender: true,
    gestureSettingsMouse: { clickToZoom: false, dblClickToZoom: true, flickEnabled: false },
    gestureSettingsTouch: { pinchRotate: false }, zoomPerScroll: 1.25, imageLoaderLimit: 6,
    maxImageCacheCount: 400, crossOriginPolicy: false, tabIndex: -1, preload: true,
    subPixelRoundingForTransparency: 1, preserveImageSizeOnResize: true,
  });
  // single pixels are to be seen as such beyond their own size
  viewer.addHandler("animation", () => {
    const item = viewer.world.getItemAt(0);
    if (!item) return;
    const ratio = item.viewportToImageZoom(viewer.viewport.getZoom(true));
    viewer.drawer.setImageSmoothingEnabled?.(ratio < 2);
  });
  viewer.innerTracker.keyDownHandler = null;
  viewer.innerTracker.keyHandler = null;
  viewer.innerTracker.keyPressHandler = null;
  return viewer;
}

export class Stage {
  /** @param {HTMLElement} node that the viewers fill. */
  constructor(node) {
    this.node = node;
    this.left = this.pane("pane");
    this.right = null;
    this.viewer = makeViewer(this.left);
    this.second = null;
    this.layers = new Map(); // slot -> {key, item}
    this.mode = "single";
    this.share = 0.5;
    this.viewer.addHandler("animation", () => this.arrange());
    this.viewer.addHandler("resize", () => this.arrange());
    this.viewer.addHandler("update-viewport", calm(() => tell("moved"), 60));
    this.isWhole = true; // what is seen whole stays so on a stage of another size
    this.hearMoves(this.viewer);
    this.viewer.addHandler("after-resize", () => requestAnimationFrame(() => { if (this.isWhole && !this.closed) this.fit(true); }));
    new OpenSeadragon.MouseTracker({
      element: this.left, moveHandler: (event) => this.hover(event.position), leaveHandler: () => tell("hover", null),
    });
    this.following = false;
  }

  /** Know when a hand has moved what is seen. */
  hearMoves(viewer) {
    for (const moved of ["canvas-drag", "canvas-scroll", "canvas-pinch", "canvas-double-click"]) {
      viewer.addHandler(moved, () => { this.isWhole = false; });
    }
  }

  pane(name) {
    const pane = document.createElement("div");
    pane.className = name;
    this.node.append(pane);
    return pane;
  }

  /** The tiled image of a slot, or the one before it while that is on its way. */
  shown(slot) {
    const layer = this.layers.get(slot);
    return layer?.item ?? layer?.old ?? null;
  }

  hover(position) {
    const item = this.shown("a");
    if (!item) return;
    const point = item.viewerElementToImageCoordinates(position);
    tell("hover", { x: Math.floor(point.x), y: Math.floor(point.y), position });
  }

  /** Forget all pictures, as for another stack. */
  empty() {
    for (const viewer of [this.viewer, this.second]) viewer?.world.removeAll();
    this.layers.clear();
    this.generation = (this.generation ?? 0) + 1;
  }

  /** Take all pictures off for good: a viewer that has some draws for ever, seen or not. */
  close() {
    this.closed = true;
    this.empty();
  }

  /** Show a picture in a slot: "a" below, "overlay" over it, "b" on top, "part" on all of them. */
  async set(slot, picture, { viewer = this.viewer, opacity = 1 } = {}) {
    if (this.closed) return;
    const stack = state.stack;
    const key = picture && `${stack.id}/${picture.name}/${picture.version ?? ""}/${picture.left ?? 0}/${viewer === this.second}/${picture.fades ?? false}`;
    const before = this.layers.get(slot);
    if (before?.key === key) {
      before?.item?.setOpacity(opacity);
      return;
    }
    const mine = { key, item: null };
    if (!picture) this.layers.delete(slot);
    else this.layers.set(slot, mine);
    const old = before?.item ?? before?.old;
    if (!picture) { if (old) this.remove(old); return; }
    mine.old = old;
    const generation = this.generation;
    viewer.addTiledImage({
      ...place(stack, picture), opacity: old ? 0.001 : opacity, preload: true,
      success: ({ item }) => {
        if (generation !== this.generation || this.layers.get(slot) !== mine) { this.remove(item); return; }
        mine.item = item;
        this.sort(viewer);
        this.arrange();
        const ready = () => {
          clearTimeout(timer);
          item.setOpacity(this.layers.get(slot) === mine ? (mine.opacity ?? opacity) : 0);
          if (mine.old) this.remove(mine.old);
          mine.old = null;
          this.arrange();
        };
        const timer = setTimeout(ready, 1500); // what is slow is shown as it comes
        if (item.getFullyLoaded()) ready();
        else item.addOnceHandler("fully-loaded-change", ready);
        if (slot === "a" && !this.seen) { this.seen = stack.id; this.fit(true); }
      },
    });
    mine.opacity = opacity;
  }

  remove(item) {
    for (const viewer of [this.viewer, this.second]) {
      if (viewer && viewer.world.getIndexOfItem(item) >= 0) viewer.world.removeItem(item);
    }
  }

  sort(viewer) {
    let index = 0;
    for (const slot of ["a", "overlay", "b", "part"]) {
      const layer = this.layers.get(slot);
      for (const item of [layer?.old, layer?.item]) {
        if (item && viewer.world.getIndexOfItem(item) >= 0) {
          viewer.world.setItemIndex(item, Math.min(index, viewer.world.getItemCount() - 1));
          index += 1;
        }
      }
    }
  }

  /** Cut "b" where the wipe stands, and keep two viewers at one place. */
  arrange() {
    const item = this.shown("b");
    if (item && this.mode === "wipe") {
      const size = this.viewer.viewport.getContainerSize();
      const at = new OpenSeadragon.Point(size.x * this.share, 0);
      const x = item.viewerElementToImageCoordinates(at).x;
      const { x: width, y: height } = item.getContentSize();
      const from = Math.min(Math.max(x, 0), width);
      item.setClip(new OpenSeadragon.Rect(from, 0, Math.max(width - from, 0.01), height));
    } else if (item?.getClip()) item.setClip(null);
    if (this.second && !this.following) {
      this.following = true;
      this.second.viewport.zoomTo(this.viewer.viewport.getZoom(true), null, true);
      this.second.viewport.panTo(this.viewer.viewport.getCenter(true), true);
      this.following = false;
    }
    tell("arranged");
  }

  /** Show two pictures beside each other, or one again. */
  split(on) {
    if (on === Boolean(this.second)) return;
    this.node.classList.toggle("split", on);
    if (!on) {
      this.layers.delete("b");
      this.second.destroy();
      this.second = null;
      this.right.remove();
      return;
    }
    const before = this.layers.get("b");
    for (const item of [before?.item, before?.old]) if (item) this.remove(item);
    this.layers.delete("b");
    this.right = this.pane("pane right");
    this.second = makeViewer(this.right);
    this.hearMoves(this.second);
    this.second.addHandler("animation", () => {
      if (this.following || this.isWhole) return; // the whole is kept by the first
      this.following = true;
      this.viewer.viewport.zoomTo(this.second.viewport.getZoom(true), null, true);
      this.viewer.viewport.panTo(this.second.viewport.getCenter(true), true);
      this.following = false;
    });
    requestAnimationFrame(() => this.arrange());
  }

  opacity(slot, value) {
    const layer = this.layers.get(slot);
    if (!layer) return;
    layer.opacity = value;
    layer.item?.setOpacity(value);
  }

  fit(now = false) {
    this.isWhole = true;
    const item = this.shown("a");
    if (item) this.viewer.viewport.fitBounds(item.getBounds(), now);
    else this.viewer.viewport.goHome(now);
  }

  /** Zoom so that a pixel of the picture takes `ratio` of the screen's. */
  zoom(ratio) {
    this.isWhole = false;
    const item = this.shown("a");
    if (item) this.viewer.viewport.zoomTo(item.imageToViewportZoom(ratio / devicePixelRatio));
  }

  zoomBy(factor, at = undefined) {
    this.isWhole = false;
    this.viewer.viewport.zoomBy(factor, at);
    this.viewer.viewport.applyConstraints();
  }

  panBy(x, y) {
    this.isWhole = false;
    this.viewer.viewport.panBy(this.viewer.viewport.deltaPointsFromPixels(new OpenSeadragon.Point(x, y)));
    this.viewer.viewport.applyConstraints();
  }

  /** How many pixels of the page a pixel of a frame takes. */
  get frameScale() {
    return (this.viewer.viewport.getContainerSize().x * this.viewer.viewport.getZoom(true)) / state.stack.width;
  }

  get ratio() {
    const item = this.shown("a");
    return item ? item.viewportToImageZoom(this.viewer.viewport.getZoom(true)) * devicePixelRatio : 1;
  }

  /** What of the picture is seen: left, top, width, height in its pixels. */
  seenBox() {
    const item = this.shown("a");
    if (!item) return null;
    const box = item.viewportToImageRectangle(this.viewer.viewport.getBounds(true));
    const { x: width, y: height } = item.getContentSize();
    const left = Math.max(Math.floor(box.x), 0);
    const top = Math.max(Math.floor(box.y), 0);
    const right = Math.min(Math.ceil(box.x + box.width), width);
    const bottom = Math.min(Math.ceil(box.y + box.height), height);
    return [left, top, Math.max(right - left, 0), Math.max(bottom - top, 0)];
  }

  /** From pixels of the page within the stage to those of a frame, whichever picture is shown. */
  toFrame(x, y) {
    if (!this.shown("a")) return null;
    const at = this.viewer.viewport.viewerElementToViewportCoordinates(new OpenSeadragon.Point(x, y));
    return at.times(state.stack.width);
  }

  /** From pixels of the page within the stage to those of the picture below, and back. */
  toImage(x, y) {
    return this.shown("a")?.viewerElementToImageCoordinates(new OpenSeadragon.Point(x, y)) ?? null;
  }

  toPage(x, y) {
    return this.shown("a")?.imageToViewerElementCoordinates(new OpenSeadragon.Point(x, y)) ?? null;
  }

  /** Let the mouse pan, or leave it to a tool. */
  grab(on) {
    this.viewer.setMouseNavEnabled(on);
  }
}
