"""Settings of every learner, and LEARNERS, their table; light, so that a configuration is checked
before anything heavy is imported.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

from geotools.schema import one_of, within

__all__ = ["LEARNERS", "NetSettings", "Settings"]

_LOSSES = ("cross-entropy", "dice", "focal", "cross-entropy+dice", "mse", "huber")
_BOTH = ("classification", "regression")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What all learners have."""

    name: ClassVar[str] = ""
    """As in the configuration."""
    tasks: ClassVar[tuple[str, ...]] = _BOTH
    """What it can learn."""
    sees: ClassVar[str] = "cell"
    """`cell`: one cell's features; `window`: its surroundings; `dates`: its features date by
    date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoSettings(Settings):
    """Tries the cheap ones and takes the best by the blocks that are not tested."""

    name: ClassVar[str] = "auto"
    candidates: tuple[str, ...] = field(
        default=("forest", "boosting", "logistic", "svm", "dense"),
        metadata=one_of(
            "forest", "boosting", "logistic", "svm", "dense", "cnn", "unet", "gru", "tcn"
        ),
    )
    """Learners to try, each with its default settings."""
    strengths: tuple[float, ...] = field(default=(3.0, 30.0, 300.0), metadata=within(above=0))
    """Strengths of the support vector machine, each tried for itself."""
    class_weights: str = field(default="auto", metadata=one_of("auto", "balanced", "none"))
    """`balanced`: rare classes weigh more; `auto`: balanced where the metric treats classes alike,
    as balanced_accuracy and macro_f1 do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForestSettings(Settings):
    """Random forest."""

    name: ClassVar[str] = "forest"
    trees: int = field(default=100, metadata=within(1, 2000))
    """Trees."""
    depth: int | None = field(default=None, metadata=within(1, 64))
    """Levels at most; grown out when left out."""
    min_leaf: int = field(default=2, metadata=within(1))
    """Cells in a leaf at least."""
    class_weights: str = field(default="auto", metadata=one_of("auto", "balanced", "none"))
    """See `AutoSettings`."""
    max_cells: int = field(default=60_000, metadata=within(10))
    """Cells learned from at most; drawn so that rare classes stay."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoostingSettings(Settings):
    """Gradient-boosted trees on histograms."""

    name: ClassVar[str] = "boosting"
    trees: int = field(default=150, metadata=within(1, 2000))
    """Rounds of boosting."""
    learning_rate: float = field(default=0.08, metadata=within(above=0, high=1))
    """Shrinkage."""
    leaves: int = field(default=15, metadata=within(2, 512))
    """Leaves of a tree at most."""
    class_weights: str = field(default="auto", metadata=one_of("auto", "balanced", "none"))
    """See `AutoSettings`."""
    max_cells: int = field(default=60_000, metadata=within(10))
    """See `ForestSettings`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogisticSettings(Settings):
    """Logistic regression; ridge regression for values."""

    name: ClassVar[str] = "logistic"
    strength: float = field(default=1.0, metadata=within(above=0))
    """Inverse of the penalty."""
    class_weights: str = field(default="auto", metadata=one_of("auto", "balanced", "none"))
    """See `AutoSettings`."""
    max_cells: int = field(default=60_000, metadata=within(10))
    """See `ForestSettings`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SvmSettings(Settings):
    """Support vector machine with a radial kernel."""

    name: ClassVar[str] = "svm"
    strength: float = field(default=3.0, metadata=within(above=0))
    """Inverse of the penalty."""
    gamma: float | None = field(default=None, metadata=within(above=0))
    """Inverse square of the kernel's width in standard deviations; the best of some on
    held-out groups when left out."""
    class_weights: str = field(default="auto", metadata=one_of("auto", "balanced", "none"))
    """See `AutoSettings`."""
    max_cells: int = field(default=6_000, metadata=within(10))
    """See `ForestSettings`; the cost grows with the square."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NetSettings(Settings):
    """What all nets have."""

    epochs: int = field(default=40, metadata=within(1, 10_000))
    """Epochs at most."""
    patience: int = field(default=8, metadata=within(1))
    """Epochs without a better validation loss after which it stops."""
    learning_rate: float = field(default=3e-3, metadata=within(above=0, high=1))
    """AdamW's at its highest; it falls along a cosine."""
    weight_decay: float = field(default=1e-4, metadata=within(0, 1))
    """AdamW's."""
    loss: str = field(default="auto", metadata=one_of("auto", *_LOSSES))
    """`auto`: cross-entropy, for a rare class that is judged by IoU with Dice; huber for values."""
    class_weights: str = field(default="auto", metadata=one_of("auto", "balanced", "none"))
    """See `AutoSettings`."""
    weights: Mapping[str, float] | None = None
    """Weights of classes by name, instead of `class_weights`."""
    dropout: float = field(default=0.1, metadata=within(0, 0.9))
    """Share of activations that are dropped in training."""
    device: str = field(default="auto", metadata=one_of("auto", "cpu", "cuda", "mps"))
    """Where it is computed."""
    init: str | None = None
    """A shipped model (`landforms-v1`), or the run folder of an earlier training, to start from."""
    freeze: bool = False
    """Leave the layers that came with `init` as they are."""
    members: int = field(default=1, metadata=within(1, 16))
    """Nets from as many seeds, whose probabilities are averaged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DenseSettings(NetSettings):
    """Dense network with dropout on the features of one cell."""

    name: ClassVar[str] = "dense"
    learning_rate: float = field(default=5e-3, metadata=within(above=0, high=1))
    """See `NetSettings`."""
    width: int = field(default=64, metadata=within(2, 4096))
    """Units of a hidden layer."""
    layers: int = field(default=2, metadata=within(1, 16))
    """Hidden layers."""
    batch: int = field(default=512, metadata=within(1))
    """Cells in a step."""
    max_cells: int = field(default=60_000, metadata=within(10))
    """See `ForestSettings`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CnnSettings(NetSettings):
    """Small convolutional net that names the middle of a window: convolution, pooling, dense."""

    name: ClassVar[str] = "cnn"
    sees: ClassVar[str] = "window"
    window: int = field(default=16, metadata=within(4, 128))
    """Cells on a side of the window, about."""
    width: int = field(default=16, metadata=within(2, 512))
    """Channels of the first layer; doubled after each pooling."""
    batch: int = field(default=64, metadata=within(1))
    """Windows in a step."""
    max_cells: int = field(default=20_000, metadata=within(10))
    """See `ForestSettings`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnetSettings(NetSettings):
    """U-Net: every cell of a tile at once."""

    name: ClassVar[str] = "unet"
    sees: ClassVar[str] = "window"
    width: int = field(default=16, metadata=within(4, 256))
    """Channels at full resolution; doubled at each level, up to 512."""
    depth: int = field(default=3, metadata=within(1, 6))
    """Levels, the first included."""
    tile: int = field(default=64, metadata=within(16, 1024))
    """Cells on a side of a training tile."""
    batch: int = field(default=4, metadata=within(1))
    """Tiles in a step."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GruSettings(NetSettings):
    """Recurrent net over a stack of dates."""

    name: ClassVar[str] = "gru"
    sees: ClassVar[str] = "dates"
    width: int = field(default=32, metadata=within(2, 1024))
    """Units."""
    batch: int = field(default=512, metadata=within(1))
    """Cells in a step."""
    max_cells: int = field(default=60_000, metadata=within(10))
    """See `ForestSettings`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TcnSettings(NetSettings):
    """Convolutions along a stack of dates."""

    name: ClassVar[str] = "tcn"
    sees: ClassVar[str] = "dates"
    width: int = field(default=32, metadata=within(2, 1024))
    """Channels."""
    batch: int = field(default=512, metadata=within(1))
    """Cells in a step."""
    max_cells: int = field(default=60_000, metadata=within(10))
    """See `ForestSettings`."""


LEARNERS: dict[str, type[Settings]] = {
    kind.name: kind
    for kind in (
        AutoSettings, ForestSettings, BoostingSettings, LogisticSettings, SvmSettings,
        DenseSettings, CnnSettings, UnetSettings, GruSettings, TcnSettings,
    )
}  # fmt: skip
"""Settings by name of the learner."""
