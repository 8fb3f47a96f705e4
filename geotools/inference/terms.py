"""What a foreign model is run with: its graph, its metadata and the user's word, put together.

The user's word counts most. Every refusal is a sentence that lacks its subject, the model's file.
"""

from __future__ import annotations

import colorsys
import re
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal

import numpy as np

from geotools.errors import ModelError
from geotools.inference.deepness import Keys
from geotools.inference.filling import FILLS
from geotools.inference.footprint import Footprint
from geotools.inference.layouts import Head, Layout
from geotools.spec import ClassInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = [
    "ForeignSettings",
    "check_channels",
    "check_said",
    "check_type",
    "choose_cell",
    "choose_classes",
    "choose_fill",
    "choose_head",
    "choose_margin",
    "choose_scaling",
    "choose_side",
    "count_bands",
    "gives_values",
]

_TILE = 512
"""Cells on a side of a block where neither graph nor metadata say."""

_OVERLAP_PERCENT = 15.0
"""Overlap of blocks where the metadata says nothing; Deepness's own default."""

_VALUES = {"regressor", "regression", "superresolution", "recognition"}
"""Types of models that give values."""

_OBJECTS = {"detector", "detection"}
"""Types of models that give no map."""

_MOST_VALUES = 1024
"""Bands of a map of values: what a raster may have to be read again."""

_BACKGROUND = "#d9d9d9"


@dataclass(frozen=True, slots=True)
class ForeignSettings:
    """What a user says of a model whose file does not, or says it wrongly; None: as the file."""

    scale: float | None = None
    """Multiplies the values of the raster, before mean and standard deviation are taken off."""
    mean: tuple[float, ...] | None = None
    """Of every band, after scaling."""
    std: tuple[float, ...] | None = None
    """The same."""
    classes: tuple[tuple[int | None, str], ...] | None = None
    """Code and name of every class in the order of the channels; codes count from 1 when None."""
    values: bool = False
    """The output is values, not probabilities of classes."""
    activation: Literal["softmax", "sigmoid"] | None = None
    """Turns what the graph gives into probabilities."""
    head: int | None = None
    """Which of several outputs, from 1."""
    tile_size: int | None = None
    """Cells on a side of a block, for graphs that take any."""
    overlap_percent: float | None = None
    """Overlap of neighbouring blocks, per cent of a block."""
    resolution_cm: float | None = None
    """Centimetres per cell that the model was made for."""
    bands: int | None = None
    """Number of bands, for graphs that take any."""
    standardize: Literal["tile"] | None = None
    """Take off every tile's own mean and divide by its own deviation, instead of scaling."""
    run_limit_s: float | None = None
    """Seconds that one tile may take; 600 when None."""
    fill: Literal["nearest", "mean", "zero"] | None = None
    """What the graph is given for missing cells, as in `filling.FILLS`; the nearest when None."""

    def __bool__(self) -> bool:
        said = (item for item in fields(self) if item.name != "bands")
        return any(getattr(self, item.name) != item.default for item in said)


def check_type(keys: Keys) -> None:
    """Refuses what gives no map; a type that is not known is told by its shapes."""
    if _type(keys) in _OBJECTS:
        raise ModelError(
            f"finds objects (model_type {keys.model_type}), which is no map of cells: use a "
            "segmentation or regression model"
        )


def check_said(keys: Keys, settings: ForeignSettings, layout: Layout, is_values: bool) -> None:
    """Refuses a model of which nothing is known."""
    lacking = []
    scaled = settings.scale is not None or settings.standardize is not None
    if not keys.any and not scaled and not layout.takes_whole:
        lacking.append("what its values are multiplied by (--scale 1/255, or --scale 1)")
    if not is_values and not keys.classes and not settings.classes:
        lacking.append("its classes (--classes water,forest) or that it gives values (--values)")
    if lacking:
        raise ModelError(f"does not say enough of itself: give {' and '.join(lacking)}")


def gives_values(keys: Keys, settings: ForeignSettings) -> bool:
    """True for a regressor."""
    return settings.values or (_type(keys) in _VALUES and not settings.classes)


def choose_head(layout: Layout, settings: ForeignSettings) -> Head:
    """The output that is mapped."""
    heads = layout.heads
    number = settings.head or 1
    if not 1 <= number <= len(heads):
        raise ModelError(f"has {len(heads)} outputs, not {number}: give --head 1 or another")
    head = heads[number - 1]
    if len(head.shape) > 4:
        raise ModelError("gives more than channels of rows and columns, which is no map")
    if not (head.is_float or head.is_whole):
        raise ModelError(f"gives no numbers ({head.name}): export it with probabilities")
    return head


def choose_side(layout: Layout, keys: Keys, settings: ForeignSettings) -> tuple[int, int]:
    """(rows, cols) of a block: the graph's, else what is said, else 512."""
    said = settings.tile_size
    fixed = (layout.rows, layout.cols)
    if said is not None and any(size not in (None, said) for size in fixed):
        raise ModelError(
            f"takes tiles of {fixed[0]} x {fixed[1]} cells and no others: leave --tile-size out"
        )
    side = said or keys.tile_size or _TILE
    if not 16 <= side <= 4096:
        raise ModelError(f"is to be run on tiles of {side} cells: give --tile-size 16 to 4096")
    return fixed[0] or side, fixed[1] or side


def choose_cell(keys: Keys, settings: ForeignSettings) -> float | None:
    """Cell size that it was made for, in metres; None where nobody says."""
    said = settings.resolution_cm
    if said is not None and not 1e-6 <= said <= 1e9:
        raise ModelError(f"is to be run on cells of {said:g} cm: give --resolution above 0")
    centimetres = keys.resolution_cm if said is None else said
    return None if centimetres is None else centimetres / 100


def count_bands(layout: Layout, keys: Keys, settings: ForeignSettings) -> int:
    """Bands that the raster brings."""
    said = [settings.bands, *(len(x) for x in (settings.mean, keys.mean) if x)]
    bands = layout.bands or next((count for count in said if count), None)
    if bands is None:
        raise ModelError("takes any number of bands: say which with --bands, such as 1,2,3")
    return bands


def choose_scaling(
    layout: Layout, bands: int, keys: Keys, settings: ForeignSettings
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Factor and shift of every band, (bands, 1, 1): what goes in is raster * factor - shift.

    The means and deviations of Deepness hold after a division by 255, whatever the dtype.
    """
    scale = settings.scale
    if settings.standardize is not None:
        if scale is not None or settings.mean or settings.std:
            raise ModelError(
                "is to standardise every tile by itself: leave --scale, --mean and --std out"
            )
        if layout.takes_whole:
            raise ModelError("takes whole numbers: leave --standardize out")
        scale = 1.0
        keys = replace(keys, mean=None, std=None)
    if scale is None:
        scale = 1 / 255 if keys.any and not layout.takes_whole else 1.0
    mean, std = settings.mean or keys.mean, settings.std or keys.std
    if (mean is None) != (std is None):
        raise ModelError("needs --mean and --std together, or neither")
    numbers = []
    for name, listed, neutral in (("mean", mean, 0.0), ("std", std, 1.0)):
        listed = listed or (neutral,)
        if len(listed) not in (1, bands) or not np.isfinite(listed).all():
            raise ModelError(
                f"takes {bands} bands, its {name} has {len(listed)} numbers: give "
                f"--{name} with one for each band"
            )
        numbers.append(np.broadcast_to(np.array(listed, np.float64), (bands,)))
    if (numbers[1] <= 0).any() or not (np.isfinite(scale) and scale != 0):
        raise ModelError("needs standard deviations above 0 and a scale that is not 0")
    factor, shift = scale / numbers[1], numbers[0] / numbers[1]
    return factor.astype(np.float32)[:, None, None], shift.astype(np.float32)[:, None, None]


def choose_fill(
    factor: NDArray[np.float32], shift: NDArray[np.float32], settings: ForeignSettings
) -> NDArray[np.float32] | None:
    """(bands, 1, 1) that missing cells hold in the raster; None: those of the nearest cell.

    Args:
        factor, shift: as from `choose_scaling`.
        settings: the user's word.
    """
    if settings.fill not in (None, *FILLS):
        raise ModelError(f"knows no fill {settings.fill!r}: give --fill {', '.join(FILLS)}")
    if settings.fill in (None, "nearest"):
        return None
    if settings.standardize is not None:
        raise ModelError("is to standardise every tile by itself: give --fill nearest, or none")
    if settings.fill == "zero":
        return np.zeros_like(shift)
    if not shift.any():
        raise ModelError("has no mean that could be filled in: give --mean too, or --fill nearest")
    return np.asarray(shift / factor, np.float32)


def choose_classes(
    keys: Keys, settings: ForeignSettings, channels: int | None
) -> tuple[ClassInfo, ...]:
    """The classes in the order of the channels; of one channel, what it is not comes first.

    Without channels the graph gives the numbers of the classes, from 0.
    """
    said: list[tuple[int | None, str]] = list(settings.classes or ())
    if not said and keys.classes:
        number = (settings.head or 1) - 1
        table = keys.classes[min(number, len(keys.classes) - 1)]
        said = [(None, name) for name in table.values()]
    needed = max(channels, 2) if channels is not None else max(len(said), 1)
    if channels == 1 and len(said) == 1:
        other = None if said[0][0] is None else 1 + (said[0][0] == 1)
        said.insert(0, (other, "background"))
    if len(said) != needed:
        more = " (or the one that it finds)" if channels == 1 else ""
        raise ModelError(
            f"tells {needed} classes apart{more}, {len(said)} are named: give --classes with "
            f"{needed} names, such as --classes water,forest"
        )
    codes = [number + 1 if code is None else code for number, (code, _) in enumerate(said)]
    if len(set(codes)) != len(codes):
        raise ModelError(f"is given the codes {codes}, one of them twice: give --classes again")
    return tuple(
        ClassInfo(code, name or f"class {code}", _color(number, name))
        for number, (code, (_, name)) in enumerate(zip(codes, said, strict=True))
    )


def choose_margin(footprint: Footprint, keys: Keys, settings: ForeignSettings) -> int:
    """Cells on each side of a block that are not written: half the overlap, or what is cut.

    Whole output cells, where these are coarser; nothing where a block is one of them.
    """
    percent = settings.overlap_percent
    if percent is None:
        percent = _OVERLAP_PERCENT if keys.overlap_percent is None else keys.overlap_percent
    if not 0 <= percent < 90:
        raise ModelError(f"is to overlap its tiles by {percent:g} per cent: give 0 to 89")
    side, cell = min(footprint.side), footprint.coarser
    if cell == 1:
        return max(round(side * percent / 200), footprint.cut)
    return min(-(-round(side * percent / 200) // cell), (side // cell - 1) // 2) * cell


def check_channels(channels: int, *, is_values: bool) -> None:
    """Refuses more channels than a map can have."""
    most = _MOST_VALUES if is_values else 254
    if not 1 <= channels <= most:
        what = "values" if is_values else "classes"
        raise ModelError(f"gives {channels} {what} for a cell, 1 to {most} are possible")


def _color(number: int, name: str) -> str:
    """A colour for the class of this number from 0: hues a golden angle apart."""
    if number == 0 and name.lower().strip("_ ") in ("background", "other", "none", "nothing"):
        return _BACKGROUND
    red, green, blue = colorsys.hsv_to_rgb((0.58 + number * 0.618034) % 1, 0.65, 0.85)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def _type(keys: Keys) -> str:
    return re.sub("[-_ ]", "", (keys.model_type or "").lower())
