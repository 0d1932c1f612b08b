"""Frames that are pushed: the same result as of an iterable, and a picture that grows meanwhile."""

import threading

import numpy as np
import pytest

import panfocus
from panfocus.errors import InputError, UsageError
from tests.conftest import focal_stack

STACK, SHARP = focal_stack(5, 120, 160)


@pytest.mark.parametrize("system", ["guided", "drpl-small", "pyramid"])
@pytest.mark.parametrize("options", [{"align": "none"}, {"bit_depth": 16}])
def test_the_result_is_that_of_an_iterable(system, options):
    expected = panfocus.fuse(iter(STACK), system=system, **options)
    with panfocus.StreamingFusion(system, **options) as stream:
        for frame in STACK:
            stream.push(frame)
        made = stream.finish()
    assert np.array_equal(made.image, expected.image)
    if expected.index is not None:
        assert np.array_equal(made.index, expected.index)
    assert [f["name"] for f in made.report.frames] == [f["name"] for f in expected.report.frames]


@pytest.mark.parametrize("size", [64, 4000])
def test_looking_changes_nothing(size):
    """Frames that move are resampled where they are taken: a preview must not make them whole."""
    moved = [np.roll(frame, n, axis=1)[8:-8, 8:-8] for n, frame in enumerate(STACK)]
    expected = panfocus.fuse(iter(moved), system="guided")
    shown = []
    with panfocus.StreamingFusion(
        "guided", preview=lambda picture, _: shown.append(picture), preview_size=size
    ) as stream:
        for frame in moved:
            stream.push(frame)
        made = stream.finish()
    assert made.registration.alignment.shift(4) > 2
    assert np.array_equal(made.image, expected.image)
    assert shown[-1].shape[:2] == ((104, 144) if size > 999 else (34, 48))


@pytest.mark.parametrize("channels", [1, 2, 4])
def test_grey_and_opacity_are_shown_without(channels):
    frames = [np.dstack([frame, frame[..., :1] * 0 + 255]) for frame in STACK[:2]]
    frames = [frame[..., -2:] if channels == 2 else frame for frame in frames]
    frames = [frame[..., 0] if channels == 1 else frame for frame in frames]
    shown = []
    with panfocus.StreamingFusion("guided", preview=lambda p, _: shown.append(p)) as stream:
        for frame in frames:
            stream.push(frame)
        stream.finish()
    assert shown[-1].shape == ((120, 160, 3) if channels == 4 else (120, 160))


@pytest.mark.parametrize("system", ["guided", "drpl-small"])
def test_the_preview_grows_with_every_frame(system):
    seen = []
    here = threading.get_ident()

    def show(picture, count):
        assert threading.get_ident() != here
        seen.append((picture.copy(), count))

    with panfocus.StreamingFusion(system, preview=show, preview_size=80) as stream:
        for number, frame in enumerate(STACK, 1):
            stream.push(frame)
            assert len(seen) == number  # it has been shown when the camera may go on
        stream.finish()
    assert [count for _, count in seen] == [1, 2, 3, 4, 5]
    assert all(picture.shape == (60, 80, 3) and picture.dtype == np.uint8 for picture, _ in seen)
    small = SHARP.reshape(60, 2, 80, 2, 3).mean(axis=(1, 3))
    errors = [np.square(picture - small).mean() for picture, _ in seen]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < errors[0] / 3


def test_what_is_wrong_is_told_where_it_happens():
    with panfocus.StreamingFusion("guided") as stream:
        stream.push(STACK[0])
        with pytest.raises(InputError, match="do not fit together"):
            stream.push(STACK[1][:50])
        with pytest.raises(UsageError, match="takes no more frames"):
            stream.push(STACK[1])
    with panfocus.StreamingFusion("guided") as stream, pytest.raises(InputError, match="one frame"):
        stream.push(STACK[0])
        stream.finish()

    def stops(_picture, _count):
        raise ZeroDivisionError("of the window")

    with panfocus.StreamingFusion("guided", preview=stops) as stream:
        with pytest.raises(ZeroDivisionError, match="window"):
            stream.push(STACK[0])


@pytest.mark.parametrize(
    "options",
    [{"cull": True}, {"reference": "last"}, {"hot_pixels": "auto"}, {"colour": "red"},
     {"preview_size": 1}, {"system": "no such"}, {"prefer": "near", "system": "pyramid"}],
)  # fmt: skip
def test_what_frames_that_come_once_cannot_have_is_refused_at_once(options):
    before = threading.active_count()
    with pytest.raises(panfocus.PanfocusError):
        panfocus.StreamingFusion(**options)
    assert threading.active_count() == before


def test_a_result_is_taken_once_and_a_stream_may_be_stopped():
    stream = panfocus.StreamingFusion("guided", maps=False)
    for frame in STACK[:2]:
        stream.push(frame)
    assert stream.finish().index is None
    with pytest.raises(UsageError, match="was taken"):
        stream.finish()
    before = threading.active_count()
    with panfocus.StreamingFusion("guided") as stream:
        stream.push(STACK[0])
        assert threading.active_count() == before + 1
    assert threading.active_count() == before
    with pytest.raises(UsageError):
        stream.push(STACK[1])
