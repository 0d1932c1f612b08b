"""Strokes on pixels: exact where they must be, at every scale and in any rectangle."""

from dataclasses import replace

import numpy as np
import pytest

from panfocus.arrays.pixels import shrink
from panfocus.errors import UsageError
from panfocus.retouch import (
    FrameSource,
    FusedSource,
    Layers,
    Region,
    Retouching,
    Sharpest,
    Stroke,
    SystemSource,
    apply,
    coverage,
    resolved,
)
from tests.conftest import texture

HEIGHT, WIDTH = 96, 128
WHOLE = Region(0, 0, WIDTH, HEIGHT)


class Given:
    """Sources that a test has made: frames by number, systems by name; notes what was asked."""

    def __init__(self, **sources):
        self.sources = sources
        self.asked = []

    def layers(self, source, region):
        key = f"f{source.number}" if isinstance(source, FrameSource) else source.name
        self.asked.append((key, region))
        return self.sources[key].part(*region.slices)


def picture(seed, channels=3, dtype=np.uint8, has_alpha=False, number=0):
    """Layers of a textured picture, all taken from frame `number`."""
    pixels = texture(HEIGHT, WIDTH, seed, channels)
    if dtype == np.uint16:
        pixels = pixels.astype(np.uint16) * 257 + np.uint16(seed)
    elif dtype == np.float32:
        pixels = pixels.astype(np.float32) / 255
    shape = (HEIGHT, WIDTH)
    return Layers(
        pixels,
        np.full(shape, number, np.uint16),
        np.full(shape, number, np.float32),
        np.full(shape, 0.25, np.float32),
        has_alpha=has_alpha,
    )


KINDS = [
    (1, np.uint8, False),
    (3, np.uint8, False),
    (4, np.uint8, True),
    (3, np.uint16, False),
    (2, np.uint16, True),
    (1, np.float32, False),
    (3, np.float32, False),
]
LINE = ((30.25, 40.5), (60, 52.75), (90, 30))


@pytest.mark.parametrize(("channels", "dtype", "has_alpha"), KINDS)
def test_outside_is_kept_and_the_core_is_copied_bit_for_bit(channels, dtype, has_alpha):
    fused, frame = (picture(n, channels, dtype, has_alpha, n) for n in (1, 2))
    stroke = Stroke("brush", LINE, FrameSource(2), radius=9, hardness=1)
    done = apply([stroke], WHOLE, fused, Given(f2=frame))
    cover = coverage(stroke, WHOLE)
    assert done.pixels.dtype == dtype
    assert done.pixels.shape == fused.pixels.shape
    assert np.array_equal(done.pixels[cover == 0], fused.pixels[cover == 0])
    assert np.array_equal(done.pixels[cover == 1], frame.pixels[cover == 1])
    assert (cover == 1).sum() > 1000 and (cover == 0).sum() > 1000
    assert not np.array_equal(done.pixels, fused.pixels)


def test_the_maps_follow():
    fused, frame = picture(1, number=1), picture(2, number=7)
    stroke = Stroke("brush", LINE, FrameSource(7), radius=9, hardness=0.5)
    done = apply([stroke], WHOLE, fused, Given(f7=frame))
    chosen = coverage(stroke, WHOLE) >= 0.5
    assert np.array_equal(done.index == 7, chosen)
    assert np.array_equal(done.depth == 7, chosen)
    assert done.index.dtype == np.uint16 and done.depth.dtype == np.float32
    assert (fused.index == 1).all()  # left as it is


def test_any_rectangle_is_part_of_the_whole():
    fused, frame = picture(1), picture(2)
    strokes = [
        Stroke("brush", LINE, FrameSource(2), radius=12, hardness=0.3, opacity=0.8),
        Stroke("rectangle", ((50, 20), (80, 60)), FusedSource(), radius=6),
    ]
    whole = apply(strokes, WHOLE, fused, Given(f2=frame)).pixels
    for region in (Region(0, 0, 40, 40), Region(33, 17, 50, 64), Region(100, 70, 28, 26)):
        part = apply(strokes, region, fused.part(*region.slices), Given(f2=frame)).pixels
        assert np.array_equal(part, whole[region.slices])


@pytest.mark.parametrize("scale", [2, 4, 8])
def test_a_preview_agrees_with_the_picture(scale):
    fused, frame = picture(1, dtype=np.float32), picture(2, dtype=np.float32)
    strokes = [Stroke("brush", LINE, FrameSource(2), radius=14, hardness=0.4)]
    flat = [Layers(np.full((HEIGHT, WIDTH), v, np.float32)) for v in (0, 1)]
    full = apply(strokes, WHOLE, flat[0], Given(f2=flat[1])).pixels
    small = Region(0, 0, WIDTH // scale, HEIGHT // scale, scale)
    shrunk = [Layers(shrink(layers.pixels, scale)) for layers in flat]
    seen = apply(strokes, small, shrunk[0], Given(f2=shrunk[1])).pixels
    assert np.abs(seen - shrink(full, scale)).max() < 0.05
    assert fused.pixels.shape == frame.pixels.shape


def test_a_later_stroke_acts_on_an_earlier_one_and_undo_leaves_it_out():
    fused, one, two = picture(1), picture(2), picture(3)
    sources = Given(f1=one, f2=two)
    first = Stroke("rectangle", ((-0.5, -0.5), (63.5, 63.5)), FrameSource(1), radius=0)
    second = Stroke("rectangle", ((31.5, 31.5), (95.5, 95.5)), FrameSource(2), radius=0)
    done = apply([first, second], WHOLE, fused, sources).pixels
    assert np.array_equal(done[:32, :32], one.pixels[:32, :32])
    assert np.array_equal(done[32:64, 32:64], two.pixels[32:64, 32:64])
    again = apply([first], WHOLE, fused, sources).pixels
    assert np.array_equal(again[:64, :64], one.pixels[:64, :64])
    assert np.array_equal(again[64:], fused.pixels[64:])


def test_the_eraser_brings_the_fused_picture_back():
    fused = picture(1, number=1)
    painted = Stroke("brush", LINE, FrameSource(2), radius=20)
    eraser = Stroke("rectangle", ((-10, -10), (500, 500)), FusedSource(), radius=0)
    done = apply([painted, eraser], WHOLE, fused, Given(f2=picture(2, number=2)))
    assert np.array_equal(done.pixels, fused.pixels)
    assert np.array_equal(done.index, fused.index)


def test_another_system_brings_its_own_maps():
    fused, other = picture(1, number=1), picture(2, number=5)
    stroke = Stroke("rectangle", ((9.5, 9.5), (29.5, 29.5)), SystemSource("pyramid"), radius=0)
    done = apply([stroke], WHOLE, fused, Given(pyramid=other))
    assert (done.index[10:30, 10:30] == 5).all()
    assert np.array_equal(done.pixels[10:30, 10:30], other.pixels[10:30, 10:30])


def test_half_an_opacity_is_the_mean():
    low, high = (Layers(np.full((HEIGHT, WIDTH), v, np.uint16)) for v in (1000, 3000))
    stroke = Stroke("brush", ((60, 40),), FrameSource(0), radius=20, hardness=1, opacity=0.5)
    done = apply([stroke], WHOLE, low, Given(f0=high)).pixels
    assert done[40, 60] == 2000
    assert apply([replace(stroke, opacity=0)], WHOLE, low, Given(f0=high)).pixels.max() == 1000


def test_a_colour_that_is_not_seen_does_not_shine_through():
    fused = Layers(np.full((HEIGHT, WIDTH, 4), (200, 100, 50, 255), np.uint8), has_alpha=True)
    clear = Layers(np.zeros((HEIGHT, WIDTH, 4), np.uint8), has_alpha=True)
    stroke = Stroke("brush", ((60, 40),), FrameSource(0), radius=30, hardness=0)
    done = apply([stroke], WHOLE, fused, Given(f0=clear)).pixels
    seen = done[..., 3] > 0
    assert (done[seen][:, :3] == (200, 100, 50)).all()
    assert (done[..., 3][coverage(stroke, WHOLE) > 0.3] < 255).all()


def test_what_a_frame_does_not_show_is_not_painted():
    fused, frame = picture(1), picture(2)
    shown = np.arange(WIDTH)[None, :].repeat(HEIGHT, axis=0) < 60
    stroke = Stroke("rectangle", ((-1, -1), (200, 200)), FrameSource(2), radius=0)
    done = apply([stroke], WHOLE, fused, Given(f2=replace(frame, shown=shown))).pixels
    assert np.array_equal(done, np.where(shown[..., None], frame.pixels, fused.pixels))


def test_the_sharpest_frame_is_the_one_of_the_index_map():
    index = np.zeros((HEIGHT, WIDTH), np.uint16)
    index[40:, 32:] = 6
    stroke = Stroke("brush", ((33.2, 41), (5, 5)), Sharpest())
    assert resolved(stroke, index).source == FrameSource(6, "sharpest")
    assert resolved(stroke, index[4::8, 4::8], 8).source == FrameSource(6, "sharpest")
    outside = replace(stroke, points=((-50, 1e6),))
    assert resolved(outside, index).source == FrameSource(0, "sharpest")
    with pytest.raises(UsageError, match="which frame"):
        apply([stroke], WHOLE, picture(1), Given())


def test_only_touched_tiles_are_made_anew():
    fused, frame = picture(1), picture(2)
    sources = Given(f2=frame)
    held = Retouching(fused, sources)
    left = Stroke("brush", ((10, 10),), FrameSource(2), radius=5)
    right = Stroke("brush", ((120, 80),), FrameSource(2), radius=5)
    held.put([left])
    sources.asked.clear()
    tiles = held.put([left, right])
    assert np.array_equal(held.result.pixels, apply([left, right], WHOLE, fused, sources).pixels)
    assert tiles == [Region(0, 0, WIDTH, HEIGHT)]
    held.put([right])
    assert np.array_equal(held.result.pixels, apply([right], WHOLE, fused, sources).pixels)
    held.put([])
    assert np.array_equal(held.result.pixels, fused.pixels)
    assert np.array_equal(held.result.depth, fused.depth)
