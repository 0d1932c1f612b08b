"""What holds of every fusion, tried on small stacks that Hypothesis draws."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, seed, settings

from fuzz.case import Case, How
from fuzz.drawn import Drawn, stacks
from fuzz.files import project_again, volume_of_stacks, volume_selected

#: Share of the pixels of a small stack that another order of three frames or more may decide
#: otherwise.
_FOLDED = 0.2
#: Stacks that are drawn for one case.
_EXAMPLES = 6


def _fuse(drawn: Drawn, **more: Any) -> Any:
    import panfocus

    return panfocus.fuse(drawn.frames, **{**drawn.options, **more})


def shape_and_dtype(drawn: Drawn) -> None:
    """The result has the shape and the dtype of a frame; maps have its sides; all is finite."""
    done = _fuse(drawn)
    assert done.image.shape == drawn.frames.shape[1:]
    assert done.image.dtype == drawn.frames.dtype
    for made in (done.index, done.depth, done.confidence):
        assert made is None or made.shape == drawn.frames.shape[1:3]
        assert made is None or np.isfinite(made).all()
    assert done.index is None or done.index.max() < len(drawn.frames)


def selected_values(drawn: Drawn) -> None:
    """`select` gives the values of frames only, each at its place."""
    if drawn.options["system"] == "pyramid":
        return
    done = _fuse(drawn, mode="select", align="none", exposure="none")
    same = (drawn.frames == done.image[None]).reshape(*drawn.frames.shape[:3], -1).all(axis=3)
    assert same.any(axis=0).all()
    if done.index is not None:
        assert np.take_along_axis(same, done.index[None].astype(int), axis=0).all()


def equal_frames(drawn: Drawn) -> None:
    """Equal frames come out bit-exact; floats that a pyramid takes apart but for the last digit."""
    same = np.repeat(drawn.frames[:1], len(drawn.frames), axis=0)
    done = _fuse(Drawn(same, drawn.options))
    if drawn.frames.dtype == np.float32 and drawn.options["system"] == "pyramid":
        np.testing.assert_allclose(done.image, same[0], rtol=0, atol=1e-6)
    else:
        np.testing.assert_array_equal(done.image, same[0])


def permuted_frames(drawn: Drawn) -> None:
    """Frames in another order give the same index, in that order."""
    plain = {"system": "guided", "mode": "select", "align": "none", "exposure": "none",
             "guard": "off", "maps": True, "void": "off", "reference": "0"}  # fmt: skip
    count = len(drawn.frames)
    order = np.random.default_rng(count).permutation(count)
    # where two frames are the same, either may be taken
    if len(np.unique(drawn.frames.reshape(count, -1), axis=0)) < count:
        return
    if count > 2 and not drawn.is_textured:  # where a pattern is even, all places are near a tie
        return
    one = _fuse(drawn, **plain)
    other = _fuse(Drawn(drawn.frames[order], drawn.options), **plain)
    here = np.indices(one.index.shape)
    taken = drawn.frames[one.index, here[0], here[1]]
    again = drawn.frames[order[other.index], here[0], here[1]]
    same = (taken == again).reshape(*one.index.shape, -1).all(axis=2)
    differs = order[other.index] != one.index
    # longer stacks are folded in their order, and near a tie the order tells (docs: fold order)
    assert (differs & ~same).mean() <= (0.0 if count == 2 else _FOLDED)


def run_again(drawn: Drawn) -> None:
    """The same call gives the same bytes, and leaves the frames alone."""
    before = drawn.frames.copy()
    one, other = _fuse(drawn), _fuse(drawn)
    np.testing.assert_array_equal(before, drawn.frames)
    for a, b in ((one.image, other.image), (one.index, other.index), (one.depth, other.depth)):
        assert (a is None) == (b is None)
        if a is not None:
            np.testing.assert_array_equal(a, b)


def as_an_iterable(drawn: Drawn) -> None:
    """A generator, and other memory, give what an array gives."""
    plain = {"align": "none", "exposure": "none", "reference": "first"}
    one = _fuse(drawn, **plain)
    other = _fuse(Drawn((f for f in drawn.frames), drawn.options), **plain)  # type: ignore[arg-type]
    np.testing.assert_array_equal(one.image, other.image)
    turned = Drawn(np.asfortranarray(drawn.frames), drawn.options)
    np.testing.assert_array_equal(one.image, _fuse(turned, **plain).image)


def saved_and_read(drawn: Drawn) -> None:
    """A picture that is saved is read back to the last bit, and nothing else is written."""
    from panfocus import io

    done = _fuse(drawn)
    if done.image.dtype == np.float32:
        return
    folder = Path(f"saved{len(list(Path().iterdir()))}")
    folder.mkdir()
    path = folder / "out.tif"
    done.save(path)
    assert [p.name for p in folder.iterdir()] == ["out.tif"]
    (info,), _ = io.find_frames([path])
    np.testing.assert_array_equal(io.read_frame(info).pixels, done.image)


INVARIANTS: tuple[Callable[[Drawn], None], ...] = (
    shape_and_dtype, selected_values, equal_frames, permuted_frames, run_again, as_an_iterable,
    saved_and_read, project_again, volume_of_stacks, volume_selected,
)  # fmt: skip


def invariant_case(of: Callable[[Drawn], None], number: int) -> Case:
    """Return a case: some stacks, drawn by a number, of which one thing holds."""

    def call(_: list[str]) -> None:
        from panfocus.errors import InputError

        @seed(number)
        @settings(
            max_examples=_EXAMPLES, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck), print_blob=False,
        )  # fmt: skip
        @given(stacks())
        def holds(drawn: Drawn) -> None:
            try:
                of(drawn)
            except InputError as error:
                assert error.expected or error.remedy, str(error)
            except Exception as error:
                print(f"{type(error).__name__} with {drawn.options} of {drawn.frames.shape} "
                      f"{drawn.frames.dtype}: {error}"[:600], file=sys.stderr)  # fmt: skip
                raise

        holds()

    return Case("invariants", f"{of.__name__} {number}", lambda _: [], codes=(0,),
                made=("saved*/*", "files*/*"), how=How(seconds=120), call=call)  # fmt: skip


def corpus() -> Iterator[Case]:
    """Yield every invariant with a few numbers."""
    for of in INVARIANTS:
        for number in range(6):
            yield invariant_case(of, number)


def drawn_case(chance: random.Random) -> Case:
    """Return another one."""
    return invariant_case(chance.choice(INVARIANTS), chance.randrange(2**31))
