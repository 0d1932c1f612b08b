"""What the trainings of small networks that help those which decide have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any, ClassVar, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from panfocus.systems import load_system
from panfocus.systems.network import NetworkSystem
from panfocus.train.distributed import positions_of
from panfocus.train.feed import Maker
from panfocus.train.optimiser import cosine
from panfocus.train.synthesis.sources import Sources

#: Of what pictures of a run show: a step that no run comes to.
SHOWN = 2**31


class HelperRecipe(Protocol):
    """Everything that makes a helper, but for seed, duration and machine; a dataclass.

    Attributes:
        learning_rate: at the peak.
        ema: decay per step of the averaged weights.
    """

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def learning_rate(self) -> float:
        """See above."""
        ...

    @property
    def ema(self) -> float:
        """See above."""
        ...


@dataclass(frozen=True)
class PlacesRecipe:
    """A recipe of what learns from places of scenes, but for seed, duration and machine.

    Attributes:
        decided_by: system whose decisions are learned from.
        size: height and width of a place, pixels.
        scenes: of a step.
        places: of a scene.
        learning_rate: at the peak.
        ema: decay per step of the averaged weights.
    """

    decided_by: str = "dualpath"
    size: int = 128
    scenes: int = 2
    places: int = 4
    learning_rate: float = 4e-3
    ema: float = 0.998


class PlacesOfScenes(ABC):
    """Makes batches of places (`panfocus.train.feed.Maker`), several of each scene."""

    def __init__(self, recipe: PlacesRecipe, sources: Sources, seed: int) -> None:
        """Take the recipe, what scenes are made of, and the seed."""
        self.recipe = recipe
        self.sources = sources
        self.seed = seed

    def batch(self, step: int, progress: float, rank: int, world: int) -> tuple[Any, ...]:
        """Make this process's share of the places of `step`."""
        made: list[Any] = []
        for n in positions_of(self.recipe.scenes, rank, world):
            made += self.of_scene(step, n)
        return type(made[0])(*(np.stack(arrays) for arrays in zip(*made, strict=True)))

    def of_scene(self, step: int, position: int) -> list[Any]:
        """Make one scene and cut its places out, named tuples of arrays."""
        return self.places(np.random.default_rng((self.seed, step, position)))

    @abstractmethod
    def places(self, rng: np.random.Generator) -> list[Any]:
        """Make a scene and cut its places out."""


@cache  # once a process: its session cannot be handed to another
def deciding(name: str) -> NetworkSystem:
    """Return the system whose decisions are learned from."""
    system = load_system(name, device="cpu")
    assert isinstance(system, NetworkSystem)
    return system


class HelperTask:
    """A task whose network is what it is from the start (`panfocus.train.task.Task`).

    Attributes:
        last_rate: factor of the learning rate in the end.
    """

    last_rate = 0.01

    def __init__(
        self,
        model: nn.Module,
        recipe: HelperRecipe,
        draws: Maker,
        seed: int,
        weight_decay: float = 0.0,
    ) -> None:
        """Take what is trained.

        Args:
            model: the network with its loss.
            recipe: what made it.
            draws: makes the batches.
            seed: of the batches.
            weight_decay: on parameters of two axes and more.
        """
        self.model = model
        self.learning_rate = recipe.learning_rate
        self.weight_decay = weight_decay
        self.clip = 1.0
        self.ema = recipe.ema
        self._recipe = recipe
        self._draws = draws
        self._seed = seed

    def batch(self, step: int, progress: float, rank: int, world: int) -> tuple[Any, ...]:
        """Make this process's share of `step`."""
        return self._draws.batch(step, progress, rank, world)

    def maker(self) -> Maker:
        """Return what makes the batches."""
        return self._draws

    def rate(self, progress: float) -> float:
        """Return the learning rate's factor."""
        return cosine(progress, self.last_rate)

    def prepare(self, progress: float) -> bool:
        """Change nothing."""
        return False

    def settle(self) -> None:
        """Restore nothing: any weights will do."""

    def facts(self) -> dict[str, Any]:
        """Return the recipe and the seed."""
        return {"recipe": asdict(self._recipe), "seed": self._seed}


def as_picture(values: Tensor) -> NDArray[np.uint8]:
    """Return values ``(h, w)`` in [0, 1] as a grey RGB picture."""
    grey = np.asarray((values * 255).round().numpy(), np.uint8)
    return np.ascontiguousarray(grey[..., None].repeat(3, axis=2))


def seeded(seed: int) -> None:
    """Let weights start as a seed says."""
    torch.manual_seed(seed)  # pyright: ignore[reportUnknownMemberType]
