"""Scenes with known truth: focal pairs and stacks rendered from sharp pictures.

Every kind is rendered in linear light with discs of confusion (`panfocus.synthesis.defocus`), then
clipped and encoded to 8 bit, so that the truth is exact: it is the same scene with every circle of
confusion at zero. A seed fixes everything.

Kinds:
    hard: two frames, complementary binary mask, no spread (what classical papers use).
    layers: two frames, a foreground object whose blur spreads over its background.
    depth: N frames through a smooth ramp of depth with occluding objects.
    hair: two frames, fine fibres that cross each other before a background.
    translucent: two frames, an object that lets light through; no frame has both in focus there.
    bokeh: two frames, lights far brighter than white behind a foreground.
    void: N frames, noisy, before a background that no frame has in focus; its truth is the
        least blurred, noise-free rendering.
    breathing: N frames of a depth scene that grow, shift and turn from frame to frame, as those
        of a lens that breathes on a tripod that gives; truth and index as the middle frame sees.
        It is moved as light falls on a sensor, before pixels are taken, so that all frames are
        equally sharp.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from panfocus.arrays.types import Float
from panfocus.errors import UsageError
from panfocus.synthesis.defocus import Layer, defocus, expose, render, to_linear

Byte = NDArray[np.uint8]


@dataclass(frozen=True)
class Scene:
    """A focal stack with its truth.

    Attributes:
        frames: ``(N, H, W, 3)`` uint8 in focus order.
        truth: ``(H, W, 3)`` uint8, sharp everywhere (see the kind for what that means).
        index: ``(H, W)`` uint8, the frame in which each pixel's own layer is sharpest.
        band: ``(H, W)`` bool, where fusion is hard: around boundaries, lights, the void.
        motions: of each frame against the truth; empty where nothing moves.
    """

    frames: Byte
    truth: Byte
    index: Byte
    band: NDArray[np.bool_]
    motions: tuple[Motion, ...] = ()


@dataclass(frozen=True)
class Light:
    """A focal stack before it meets a sensor.

    Attributes:
        frames: linear light ``(H, W, 3)`` float32 each, in focus order.
        truth: ``(H, W, 3)`` float32, sharp everywhere.
        index: as in `Scene`.
        band: as in `Scene`.
    """

    frames: Sequence[Float]
    truth: Float
    index: Byte
    band: NDArray[np.bool_]

    def expose(self) -> Scene:
        """Return the 8-bit stack that a sensor of the same pixels sees."""
        frames = np.stack([_encode(frame) for frame in self.frames])
        return Scene(frames, _encode(self.truth), self.index, self.band)


@dataclass(frozen=True)
class Motion:
    """How a frame lies against the truth: scaled and turned about the centre, then shifted.

    Attributes:
        scale: size of things in the frame over their size in the truth.
        rotation: degrees, from x towards y, which is clockwise as seen.
        shift_x: pixels to the right.
        shift_y: pixels down.
    """

    scale: float = 1.0
    rotation: float = 0.0
    shift_x: float = 0.0
    shift_y: float = 0.0

    def matrix(self, height: int, width: int) -> NDArray[np.float64]:
        """Return ``(2, 3)``, from coordinates (x, y, 1) in the truth to those in the frame."""
        centre = np.array([(width - 1) / 2, (height - 1) / 2])
        angle = np.deg2rad(self.rotation)
        turn = self.scale * np.array(
            [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        )
        shift = centre - turn @ centre + [self.shift_x, self.shift_y]
        return np.column_stack([turn, shift])


def blob_matte(rng: Generator, height: int, width: int, cover: float, scale: float) -> Float:
    """Return a random smooth-edged shape ``(H, W)`` in [0, 1] covering about `cover`.

    Args:
        rng: source of randomness.
        height: of the picture.
        width: of the picture.
        cover: wanted share of covered pixels.
        scale: feature size as a share of the picture's smaller side.
    """
    sigma = max(scale * min(height, width) / 2, 1.0)
    shrink = max(int(sigma // 3), 1)
    small = rng.standard_normal((height // shrink + 8, width // shrink + 8)).astype(np.float32)
    small = cv2.GaussianBlur(small, (0, 0), sigma / shrink)
    field = cv2.resize(small, (width + 8, height + 8), interpolation=cv2.INTER_CUBIC)
    field = field[4 : 4 + height, 4 : 4 + width]
    level = np.quantile(field, 1 - cover)
    slope = np.hypot(*np.gradient(field)) + 1e-6
    # signed distance over the local slope: an edge about one pixel wide, as a sensor sees it
    return np.clip((field - level) / slope + 0.5, 0, 1).astype(np.float32)


def _edges(matte: Float, reach: int) -> NDArray[np.bool_]:
    solid = (matte > 0.5).astype(np.uint8)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return np.asarray(cv2.dilate(solid, disc) != cv2.erode(solid, disc))


def _encode(linear: Float) -> Byte:
    return np.rint(expose(linear) * 255).astype(np.uint8)


def _linear(picture: Byte) -> Float:
    return to_linear(picture.astype(np.float32) / np.float32(255))


def hard_scene(rng: Generator, pictures: Sequence[Byte]) -> Scene:
    """Two frames by a binary mask: each sharp where the other is blurred, no spread."""
    sharp = _linear(pictures[0])
    height, width = sharp.shape[:2]
    matte = (blob_matte(rng, height, width, rng.uniform(0.3, 0.6), 0.3) > 0.5)[..., None]
    blurred = _encode(defocus(sharp, float(rng.uniform(2, 6))))
    truth = pictures[0]
    frames = np.stack([np.where(matte, truth, blurred), np.where(matte, blurred, truth)])
    index = np.where(matte[..., 0], 0, 1).astype(np.uint8)
    return Scene(frames, truth, index, _edges(matte[..., 0].astype(np.float32), 8))


def layers_scene(rng: Generator, pictures: Sequence[Byte]) -> Scene:
    """Two frames of an object before a background, with defocus spread, radii 3 to 7 px.

    The object is cut from the second picture when there is one, else from the first itself.
    """
    back, front = _linear(pictures[0]), _linear(pictures[-1])
    height, width = back.shape[:2]
    matte = blob_matte(rng, height, width, float(rng.uniform(0.15, 0.35)), 0.7)
    return _before(back, front, matte, rng.uniform(3, 7, 2), band=_edges(matte, 12))


def _before(
    back: Float, front: Float, matte: Float, radii: NDArray[np.float64], *, band: NDArray[np.bool_]
) -> Scene:
    """Two frames of a layer before another: of the far one and of the near one out of focus."""
    layers = [Layer(back, None, 1.0), Layer(front, matte, 0.0)]
    shots = [render(layers, [radii[0], 0]), render(layers, [0, radii[1]])]
    frames = np.stack([_encode(shot) for shot in shots])
    index = (matte < 0.5 * matte.max()).astype(np.uint8)
    return Scene(frames, _encode(render(layers, [0, 0])), index, band)


def hair_matte(rng: Generator, height: int, width: int) -> Float:
    """Return 40 to 120 bent fibres ``(H, W)`` in [0, 1], 0.7 to 2.5 px wide, crossing at will.

    Others than `train.mattes.hair` draws: what is learned from must not be what is measured on.
    They are drawn four times as large and made smaller: a fibre finer than a pixel covers a part.
    """
    fine = 4
    canvas = np.zeros((fine * height, fine * width), np.uint8)
    x = np.linspace(-0.1, 1.1, 24)
    across = float(np.hypot(height, width))
    for _ in range(int(rng.integers(40, 121))):
        start, end = rng.uniform(-0.1, 1.1, (2, 2)) * (height, width)
        away = (end - start) / max(float(np.hypot(*(end - start))), 1.0)
        bow = across * rng.normal(0, 0.05) * np.sin(np.pi * rng.uniform(1, 2.5) * x)
        bent = bow[:, None] * away[::-1] * (1, -1)
        places: NDArray[np.float64] = start + x[:, None] * (end - start) + bent
        path = np.asarray(np.round(fine * places[:, ::-1]), np.int32)
        thickness = round(fine * rng.uniform(0.7, 2.5))
        cv2.polylines(canvas, [path], False, 255, thickness, cv2.LINE_AA)
    small = cv2.resize(canvas, (width, height), interpolation=cv2.INTER_AREA)
    return small.astype(np.float32) / np.float32(255)


def hair_scene(rng: Generator, pictures: Sequence[Byte]) -> Scene:
    """Two frames of fibres before a background, circles of confusion of 2 to 6 px."""
    back, front = _linear(pictures[0]), _linear(pictures[-1])
    matte = hair_matte(rng, *map(int, back.shape[:2]))
    near = cv2.dilate((matte > 0).astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    return _before(back, front, matte, rng.uniform(2, 6, 2), band=np.asarray(near))


def translucent_scene(rng: Generator, pictures: Sequence[Byte]) -> Scene:
    """Two frames of an object that covers 30 to 70 % of the light behind it, radii 3 to 7 px.

    Gauze, glass, a wing: both layers have detail at the same place, and each frame shows one of
    them, so no choice of pixels gives the truth. The band is the object.
    """
    back, front = _linear(pictures[0]), _linear(pictures[-1])
    height, width = map(int, back.shape[:2])
    matte = blob_matte(rng, height, width, float(rng.uniform(0.2, 0.4)), 0.7)
    sheer = np.asarray(matte * np.float32(rng.uniform(0.3, 0.7)), np.float32)
    return _before(back, front, sheer, rng.uniform(3, 7, 2), band=matte > 0.5)


def _ramp_background(
    back: Float, depth: Float, focus: float, gain: float, radii: NDArray[np.float64]
) -> Float:
    """Blur each pixel by its own circle, between renderings at the radii of a ladder."""
    wanted = np.abs(depth - focus) * gain
    out = np.zeros_like(back)
    for k, radius in enumerate(radii):
        low = radii[max(k - 1, 0)]
        high = radii[min(k + 1, len(radii) - 1)]
        rise = np.clip((wanted - low) / max(radius - low, 1e-6), 0, 1) if k else 1.0
        fall = np.clip((high - wanted) / max(high - radius, 1e-6), 0, 1) if high > radius else 1.0
        share = np.asarray(np.minimum(rise, fall), np.float32)
        if share.max() > 0:
            out += share[..., None] * defocus(back, float(radius))
    return out


def depth_scene(
    rng: Generator, pictures: Sequence[Byte], count: int = 8, largest_radius: float = 12.0
) -> Scene:
    """`count` frames through a ramp of depth 0 to 1 with three objects before it."""
    return depth_light(rng, pictures, count, largest_radius).expose()


def depth_light(
    rng: Generator, pictures: Sequence[Byte], count: int = 8, largest_radius: float = 12.0
) -> Light:
    """Return the light of a `depth_scene`."""
    back = _linear(pictures[0])
    height, width = back.shape[:2]
    angle = rng.uniform(0, 2 * np.pi)
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    slope = x * np.cos(angle) + y * np.sin(angle) + 0.15 * np.sin(3 * x + rng.uniform(0, 6))
    depth = ((slope - slope.min()) / np.ptp(slope)).astype(np.float32)
    shapes = [blob_matte(rng, height, width, float(rng.uniform(0.05, 0.1)), 0.35) for _ in range(3)]
    fronts = [_linear(p) for p in pictures[1:4]] or [back]
    planes = sorted(rng.uniform(0, 1, 3), reverse=True)
    foci = np.linspace(0, 1, count)
    radii = np.array([0, 0.5, 1, 1.5, 2, 3, 4, 5, 6, 8, 10, 12]) * largest_radius / 12

    def photograph(focus: float | None) -> Float:
        out = back if focus is None else _ramp_background(back, depth, focus, largest_radius, radii)
        for k, (matte, plane) in enumerate(zip(shapes, planes, strict=True)):
            radius = 0.0 if focus is None else abs(plane - focus) * largest_radius
            colour = fronts[k % len(fronts)]
            light = defocus(colour * matte[..., None], radius)
            through = 1 - defocus(matte, radius)[..., None]
            out = np.asarray(light + through * out, np.float32)
        return out

    scene_depth = depth.copy()
    band = np.zeros((height, width), bool)
    for matte, plane in zip(shapes, planes, strict=True):
        scene_depth[matte > 0.5] = plane
        band |= _edges(matte, 12)
    index = np.abs(scene_depth[None] - foci[:, None, None]).argmin(axis=0).astype(np.uint8)
    return Light([photograph(float(f)) for f in foci], photograph(None), index, band)


def bokeh_scene(rng: Generator, pictures: Sequence[Byte]) -> Scene:
    """Two frames: a foreground before a darkened background with 40 lights beyond white.

    Lights are 5 to 40 times white, discs of 4 to 9 px; the band is 12 px around lights and edge.
    """
    back = _linear(pictures[0]) * 0.25
    front = _linear(pictures[-1])
    height, width = map(int, back.shape[:2])
    lamps = np.zeros((height, width), np.uint8)
    for _ in range(40):
        spot = (int(rng.integers(width)), int(rng.integers(height)))
        radius = int(rng.integers(1, 4))
        power = rng.uniform(5, 40) * np.array(rng.uniform(0.6, 1, 3))
        disc = np.zeros((height, width), np.uint8)
        cv2.circle(disc, spot, radius, 1, -1)
        back = np.where(disc[..., None] > 0, power.astype(np.float32), back)
        lamps |= disc
    matte = blob_matte(rng, height, width, float(rng.uniform(0.2, 0.4)), 0.7)
    layers = [Layer(back.astype(np.float32), None, 1.0), Layer(front, matte, 0.0)]
    radii = rng.uniform(4, 9, 2)
    frames = np.stack(
        [_encode(render(layers, [radii[0], 0])), _encode(render(layers, [0, radii[1]]))]
    )
    near_lamp = cv2.distanceTransform(1 - lamps, cv2.DIST_L2, 5) <= 12
    band = _edges(matte, 12) | near_lamp
    return Scene(frames, _encode(render(layers, [0, 0])), (matte < 0.5).astype(np.uint8), band)


def void_scene(
    rng: Generator, pictures: Sequence[Byte], count: int = 4, sigma: float = 3.0
) -> Scene:
    """`count` noisy frames of two objects before a far background that is never in focus.

    Args:
        rng: source of randomness.
        pictures: background, then objects.
        count: frames.
        sigma: of the sensor's noise, in grey levels.
    """
    back = _linear(pictures[0])
    fronts = [_linear(p) for p in pictures[1:3]] or [back]
    height, width = back.shape[:2]
    mattes = [blob_matte(rng, height, width, float(rng.uniform(0.15, 0.25)), 0.3) for _ in range(2)]
    planes = [0.7, 0.15]
    far = 2.0
    foci = np.linspace(0, 1, count)
    gain = 8.0

    def photograph(focus: float | None) -> Float:
        sharp = focus is None
        layers = [Layer(back, None, far)]
        # the truth shows the background as the frame focused farthest away sees it
        radii = [(far - (foci[-1] if sharp else focus)) * gain]
        for k, (matte, plane) in enumerate(zip(mattes, planes, strict=True)):
            layers.append(Layer(fronts[k % len(fronts)], matte, plane))
            radii.append(0.0 if focus is None else abs(plane - focus) * gain)
        return render(layers, [float(r) for r in radii])

    frames: list[Byte] = []
    for focus in foci:
        clean = expose(photograph(float(focus))) * 255
        noisy = clean + rng.normal(0, sigma, clean.shape)
        frames.append(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))
    depth = np.full((height, width), far)
    for matte, plane in zip(mattes, planes, strict=True):
        depth[matte > 0.5] = plane
    index = np.abs(depth[None] - foci[:, None, None]).argmin(axis=0).astype(np.uint8)
    background = np.all([m < 0.02 for m in mattes], axis=0)
    return Scene(np.stack(frames), _encode(photograph(None)), index, background)


def draw_motions(
    rng: Generator, count: int, growth: float = 0.004, shift: float = 2.5, turn: float = 0.15
) -> tuple[Motion, ...]:
    """Draw how `count` frames grow, shift and turn against the middle one, which stays.

    Args:
        rng: source of randomness.
        count: frames.
        growth: of scale from frame to frame.
        shift: at most, in pixels, along x and along y.
        turn: at most, in degrees.
    """
    middle = count // 2
    return tuple(
        Motion()
        if n == middle
        else Motion(
            1 + growth * (n - middle), rng.uniform(-turn, turn), *rng.uniform(-shift, shift, 2)
        )
        for n in range(count)
    )


def margin_of(motions: Sequence[Motion], height: int, width: int) -> int:
    """Return the border in pixels beyond which every frame shows what lies in the truth.

    Raises:
        UsageError: nothing is left of the picture.
    """
    half = max(height, width) / 2
    reach = max(
        half * (abs(m.scale - 1) + abs(np.deg2rad(m.rotation)))
        + max(abs(m.shift_x), abs(m.shift_y))
        for m in motions
    )
    margin = int(np.ceil(reach)) + 4  # 4 for the taps of the interpolation
    if 2 * margin >= min(height, width):
        raise UsageError(
            "the pictures are too small for so many frames that breathe",
            expected=f"more than {2 * margin} pixels a side",
            got=f"{width} x {height}",
        )
    return margin


def _seen(light: Float, motion: Motion) -> Byte:
    """Return what a sensor sees of moved light, 8 bit, same size.

    Light is moved between samples half a pixel apart, where interpolation is all but exact, and
    then gathered over each pixel's area: a pixel sees the same detail wherever the light falls.
    """
    height, width = light.shape[:2]
    fine = cv2.resize(light, (2 * width, 2 * height), interpolation=cv2.INTER_LANCZOS4)
    if motion != Motion():
        # pixel x has its middle at 2 x + 1/2 of the fine grid
        grow = np.array([[2, 0, 0.5], [0, 2, 0.5], [0, 0, 1]])
        whole = np.vstack([motion.matrix(height, width), [0, 0, 1]])
        matrix = grow @ whole @ np.linalg.inv(grow)
        fine = cv2.warpAffine(fine, matrix[:2], (2 * width, 2 * height), flags=cv2.INTER_LANCZOS4)
    return _encode(
        np.asarray(cv2.resize(fine, (width, height), interpolation=cv2.INTER_AREA), np.float32)
    )


def film(light: Light, motions: Sequence[Motion], margin: int) -> Scene:
    """Expose frames each with its motion, all through the same pixels.

    Args:
        light: of the still scene.
        motions: of each frame against the truth.
        margin: border in pixels that is cut from frames and truth alike, see `margin_of`, so that
            no pixel is made up.
    """
    height, width = light.truth.shape[:2]
    inner = (slice(margin, height - margin), slice(margin, width - margin))
    pairs = zip(light.frames, motions, strict=True)
    return Scene(
        np.stack([_seen(frame, motion)[inner] for frame, motion in pairs]),
        _seen(light.truth, Motion())[inner],
        light.index[inner],
        light.band[inner],
        tuple(motions),
    )


def breathe(
    rng: Generator, light: Light, growth: float = 0.004, shift: float = 2.5, turn: float = 0.15
) -> Scene:
    """Film a still scene's light with frames that grow, shift and turn, see `draw_motions`."""
    motions = draw_motions(rng, len(light.frames), growth, shift, turn)
    return film(light, motions, margin_of(motions, *light.truth.shape[:2]))


def breathing_scene(rng: Generator, pictures: Sequence[Byte], count: int = 8) -> Scene:
    """`count` frames of a depth scene, each 0.4 % larger than the last, shifted and turned."""
    return breathe(rng, depth_light(rng, pictures, count))


KINDS: dict[str, Callable[[Generator, Sequence[Byte]], Scene]] = {
    "hard": hard_scene,
    "layers": layers_scene,
    "hair": hair_scene,
    "translucent": translucent_scene,
    "depth": depth_scene,
    "bokeh": bokeh_scene,
    "void": void_scene,
}
#: Kinds whose frames must be aligned before their pixels can be compared with the truth.
MOVING_KINDS: dict[str, Callable[[Generator, Sequence[Byte]], Scene]] = {
    "breathing": breathing_scene
}


def depth_map_stack(
    picture: Byte, depth: Float, count: int, largest_radius: float = 6.0, slices: int = 32
) -> Scene:
    """`count` frames of a sharp picture whose depth is known, such as a stereo pair gives.

    See `depth_map_light`; the truth is the picture.
    """
    return depth_map_light(picture, depth, count, largest_radius, slices).expose()


def depth_map_light(
    picture: Byte, depth: Float, count: int, largest_radius: float = 6.0, slices: int = 32
) -> Light:
    """Return the light of a sharp picture whose depth is known.

    The scene is cut into `slices` planes by depth, each blurred by its own circle of confusion and
    laid over those behind it. What a plane hides is not known, so light is divided by the coverage
    that was laid down, which keeps holes behind nearer planes from darkening.

    Args:
        picture: ``(H, W, 3)`` uint8, sharp everywhere.
        depth: ``(H, W)``, 0 nearest to 1 farthest.
        count: frames, focused from 0 to 1.
        largest_radius: circle of confusion across the whole depth, pixels.
        slices: planes.
    """
    sharp = _linear(picture)
    level = np.clip((depth * slices).astype(np.intp), 0, slices - 1)
    mattes = [(level == k).astype(np.float32) for k in range(slices)]
    foci = np.linspace(0, 1, count)

    def photograph(focus: float) -> Float:
        light = np.zeros_like(sharp)
        cover = np.zeros(sharp.shape[:2], np.float32)
        for k in reversed(range(slices)):
            radius = abs((k + 0.5) / slices - focus) * largest_radius
            over = defocus(mattes[k], radius)
            light = defocus(sharp * mattes[k][..., None], radius) + (1 - over[..., None]) * light
            cover = over + (1 - over) * cover
        return np.asarray(light / np.maximum(cover, 1e-3)[..., None], np.float32)

    frames = [photograph(float(f)) for f in foci]
    index = np.abs(depth[None] - foci[:, None, None]).argmin(axis=0).astype(np.uint8)
    jump = cv2.morphologyEx(level.astype(np.uint8), cv2.MORPH_GRADIENT, np.ones((9, 9), np.uint8))
    return Light(frames, sharp, index, np.asarray(jump > slices // 8))
