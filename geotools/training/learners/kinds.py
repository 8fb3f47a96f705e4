"""Kind: what differs between nets: their body, what they take, how far they see, their batches."""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import Tensor, nn

from geotools.errors import ConfigError
from geotools.spec import InputInfo
from geotools.training.augment import Augmenter
from geotools.training.learners.backbone import LandformBackbone, landform_backbone
from geotools.training.learners.batches import Feed, Reader, RowFeed, RowReader
from geotools.training.learners.cnn import Cnn
from geotools.training.learners.dates import Gru, Tcn
from geotools.training.learners.dense import Dense
from geotools.training.learners.protocol import Material
from geotools.training.learners.reach import reach_of
from geotools.training.learners.scenes import SceneReader
from geotools.training.learners.settings import NetSettings
from geotools.training.learners.standardise import Scaling
from geotools.training.learners.start import is_backbone
from geotools.training.learners.tiles import TileFeed, WindowFeed
from geotools.training.learners.unet import Unet
from geotools.training.sections import AugmentConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Kind", "make_kind"]

_BODIES: dict[str, Callable[[Any, int, int], nn.Module]] = {
    "dense": lambda s, channels, outputs: Dense(
        channels, outputs, width=s.width, layers=s.layers, dropout=s.dropout
    ),
    "cnn": lambda s, channels, outputs: Cnn(
        channels, outputs, window=s.window, width=s.width, dropout=s.dropout
    ),
    "unet": lambda s, channels, outputs: Unet(
        channels, outputs, width=s.width, depth=s.depth, dropout=s.dropout
    ),
    "gru": lambda s, channels, outputs: Gru(channels, outputs, width=s.width, dropout=s.dropout),
    "tcn": lambda s, channels, outputs: Tcn(channels, outputs, width=s.width, dropout=s.dropout),
}

_INPUTS = {
    "dense": "features", "cnn": "raster", "unet": "raster", "gru": "sequence", "tcn": "sequence",
}  # fmt: skip
"""What each takes: see `InputInfo.kind`; the input has the same name."""


@dataclass(frozen=True, slots=True, eq=False)
class Kind:
    """One net as it goes with one material."""

    settings: NetSettings
    """What shapes it."""
    features: tuple[str, ...]
    """Names of the features."""
    categories: dict[int, tuple[int, ...]]
    """Features, of one date where there are several, that are codes, and the codes."""
    steps: tuple[tuple[int, ...], ...]
    """Which features belong to each date that the net goes along; empty for other nets."""
    halo: int
    """Cells of surroundings that an answer depends on."""
    multiple: int
    """Tiles begin on a multiple of so many cells and are as long."""
    backbone: LandformBackbone | None
    """What knows terrain already."""
    elevation: int
    """Which feature the backbone takes."""

    @property
    def takes(self) -> str:
        """`features`, `sequence` or `raster`; `features` too where the net makes a sequence of
        them, since some belong to every date.
        """
        takes = _INPUTS[self.settings.name]
        return "features" if takes == "sequence" and self.makes_steps else takes

    @property
    def makes_steps(self) -> bool:
        """Whether the features are more than those of the first date, then of the second, …"""
        return list(itertools.chain(*self.steps)) != list(range(len(self.features)))

    @property
    def inputs(self) -> tuple[InputInfo, ...]:
        """Inputs of the graph."""
        length = len(self.steps) if self.takes == "sequence" else 1
        first = InputInfo(self.takes, self.takes, self.features, length=length)
        if self.backbone is None:
            return (first,)
        return first, InputInfo("cell_size", "cell_size", ("x", "y"), "m")

    @property
    def example(self) -> tuple[Tensor, ...]:
        """Small inputs to trace with."""
        count = len(self.features)
        if self.takes == "features":
            return (torch.zeros(3, count),)
        if self.takes == "sequence":
            return (torch.zeros(3, len(self.steps), count // len(self.steps)),)
        rows, cols = 4 * max(self.multiple, 8), 6 * max(self.multiple, 8)
        first = torch.zeros(1, count, rows, cols)
        if self.backbone is None:
            return (first,)
        return first, torch.full((1, 2, rows, 1), 30.0)

    def body(self, channels: int, outputs: int) -> nn.Module:
        """An untrained body."""
        return _BODIES[self.settings.name](self.settings, channels, outputs)

    def terrain(self) -> LandformBackbone | None:
        """A copy of the backbone, for one net."""
        return copy.deepcopy(self.backbone)

    def shaped(self, rows: NDArray[np.float32]) -> NDArray[np.float32]:
        """(n, F) rows as they are scaled: those of all dates below each other."""
        if not self.steps:
            return rows
        return rows[:, np.concatenate(self.steps)].reshape(-1, len(self.steps[0]))

    def reader(self, material: Material) -> Reader:
        """How cells of any material with these features are read."""
        if self.takes != "raster":
            return RowReader(material, dates=self.inputs[0].length)
        return SceneReader(
            material, halo=self.halo, multiple=self.multiple,
            with_cell_size=self.backbone is not None, keep=False,
        )  # fmt: skip

    def feed(
        self,
        material: Material,
        train: NDArray[np.intp],
        targets: NDArray[Any],
        *,
        scaling: Scaling,
        augment: AugmentConfig,
        rng: np.random.Generator,
    ) -> Feed:
        """Where batches come from.

        Args:
            material: cells and features.
            train: cells to learn from.
            targets: (cells,) what is learned, of all cells.
            scaling: of the features, for the noise.
            augment: how tiles are varied.
            rng: draws the cells of nets that do not take them all.
        """
        settings: Any = self.settings
        if self.takes != "raster":
            return RowFeed(
                material, train, targets, dates=self.inputs[0].length,
                batch=settings.batch, max_cells=settings.max_cells, rng=rng,
            )  # fmt: skip
        if settings.name == "cnn":  # the labelled cell must stay in the middle
            augment = dataclasses.replace(augment, shift=0.0)
        augmenter = Augmenter(self.features, self.categories, augment, scale=scaling.scale)
        if settings.name == "cnn":
            return WindowFeed(
                material, train, targets, augmenter, size=2 * self.halo + 1,
                batch=settings.batch, max_cells=settings.max_cells, rng=rng,
            )  # fmt: skip
        # Two cells on a side are left at the deepest level at least, to take statistics of.
        size = max(-(-settings.tile // self.multiple), 2) * self.multiple
        return TileFeed(
            material, train, targets, augmenter,
            size=size, batch=settings.batch,
            halo=self.halo, multiple=self.multiple, with_cell_size=self.backbone is not None,
        )  # fmt: skip


def make_kind(settings: NetSettings, material: Material) -> Kind:
    """The kind of net of these settings for a material.

    Raises:
        ConfigError: the settings do not go with the material.
        ModelError, FileError: `init` cannot be read.
    """
    name, takes = settings.name, _INPUTS[settings.name]
    steps, count = (material.steps if takes == "sequence" else ()), len(material.features)
    if takes == "sequence" and len(steps) < 2:
        raise ConfigError(
            f"{name} goes along a stack of dates, and the features are "
            f"{', '.join(material.features[:4])}{', …' if count > 4 else ''}: give one input with "
            "dates, or another learner."
        )
    if takes == "raster" and not material.grids:
        raise ConfigError(f"{name} needs surroundings, which a table has not: take dense.")
    backbone, elevation = _backbone(settings, material)
    categories = material.categories
    if steps:
        of_one = enumerate(steps[0])
        categories = {at: categories[f] for at, f in of_one if f in categories}
    halo, multiple = 0, 2 ** (getattr(settings, "depth", 1) - 1)
    if takes == "raster":
        thin = _BODIES[name](dataclasses.replace(settings, width=1, dropout=0.0), 1, 1)  # type: ignore[call-arg]
        halo = reach_of(thin, 1, multiple)
    if backbone is not None:
        halo = -(-(halo + backbone.halo) // multiple) * multiple
    return Kind(settings, material.features, categories, steps, halo, multiple, backbone, elevation)


def _backbone(settings: NetSettings, material: Material) -> tuple[LandformBackbone | None, int]:
    """The terrain backbone that `init` names, and which feature is the elevation."""
    if settings.init is None or not is_backbone(settings.init):
        return None, 0
    if settings.name != "unet":
        raise ConfigError(
            f"init = {settings.init!r} is for unet; {settings.name} starts from the run folder of "
            "an earlier training."
        )
    elevation = getattr(material, "elevation", None)
    if elevation is None:
        raise ConfigError(
            f"init = {settings.init!r} needs the elevation itself among the features: add the name "
            "of the elevation input to features."
        )
    return landform_backbone(settings.init), int(elevation)
