"""`frozen` makes what `dataclass(frozen=True)` makes."""

import copy
import pickle
from dataclasses import FrozenInstanceError, asdict, dataclass, field, fields, replace

import pytest

from panfocus.frozen import frozen


def made(decorator):
    @decorator
    class Box:
        """A box."""

        height: int
        width: int = 2
        notes: list[str] = field(default_factory=list[str], compare=False, repr=False)
        depth: int = field(default=3, kw_only=True)

        def __post_init__(self) -> None:
            if self.height < 0:
                raise ValueError("no box")

    @decorator
    class Named(Box):
        """A box with a name."""

        name: str = "box"

    return Box, Named


MADE, EXPECTED = made(frozen), made(dataclass(frozen=True))
SHOWN = [
    (0, (1,), {}),
    (1, (1, 5), {"depth": 4}),
    (1, (1, 2, ["a"], "b"), {}),
    (1, (1,), {"name": "c"}),
]


@frozen
class Size:
    """Of something."""

    height: int
    width: int = 1


@pytest.mark.parametrize(("which", "args", "given"), SHOWN)
def test_it_holds_and_tells_the_same(which, args, given):
    ours, theirs = (classes[which](*args, **given) for classes in (MADE, EXPECTED))

    assert repr(ours) == repr(theirs)
    assert hash(ours) == hash(theirs)
    assert asdict(ours) == asdict(theirs)
    assert vars(ours) == vars(theirs)
    assert list(vars(ours)) == list(vars(theirs))
    assert [f.name for f in fields(ours)] == [f.name for f in fields(theirs)]
    assert type(ours).__match_args__ == type(theirs).__match_args__
    assert asdict(replace(ours, height=7)) == asdict(replace(theirs, height=7))


def test_equal_are_those_of_one_class_with_equal_values():
    Box, Named = MADE
    assert Box(1) == Box(1, 2, ["not compared"])
    assert Box(1) != Box(1, depth=4)
    assert Box(1) != Named(1)
    assert Box(1) != (1, 2, 3)
    assert Box(1).notes is not Box(1).notes


@pytest.mark.parametrize(
    ("args", "given"),
    [
        ((), {}),
        ((1, 2, [], 4), {}),
        ((1,), {"height": 2}),
        ((1,), {"colour": 2}),
        ((), {"width": 1}),
    ],
)
@pytest.mark.parametrize("classes", [MADE, EXPECTED])
def test_other_values_than_it_has_are_refused(classes, args, given):
    with pytest.raises(TypeError):
        classes[0](*args, **given)


@pytest.mark.parametrize("classes", [MADE, EXPECTED])
def test_it_is_checked_and_stays_as_it_is(classes):
    with pytest.raises(ValueError, match="no box"):
        classes[1](-1)
    box = classes[0](1)
    with pytest.raises(FrozenInstanceError):
        box.height = 2
    with pytest.raises(FrozenInstanceError):
        del box.height


def test_it_is_copied_and_sent_to_other_processes():
    assert copy.deepcopy(Size(3)) == Size(3)
    assert pickle.loads(pickle.dumps(Size(3, 4))) == Size(3, 4)


def test_methods_that_a_class_has_are_kept():
    @frozen
    class Told:
        """Tells of itself."""

        height: int

        def __repr__(self) -> str:
            return "told"

    assert repr(Told(1)) == "told"
