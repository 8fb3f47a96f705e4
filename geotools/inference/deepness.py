"""read_keys: what a model file says of itself in the dialect of the QGIS plugin Deepness.

Every value is JSON text, or a Python literal; GeoDeep reads the same keys. Nothing is evaluated.
"""

from __future__ import annotations

import ast
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geotools.errors import ModelError

__all__ = ["Keys", "read_keys"]

_LONGEST = 200_000
"""Characters of a value that are parsed at most."""

_KNOWN = {
    "model_type", "class_names", "names", "resolution", "tile_size", "tiles_size", "tiles_overlap",
    "standardization_mean", "standardization_std", "seg_thresh", "seg_small_segment",
    "reg_output_scaling", "det_conf", "det_iou_thresh", "det_type",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Keys:
    """What the metadata says; None where it says nothing."""

    any: bool = False
    """Whether there was any of the keys."""
    model_type: str | None = None
    """Segmentor, Regressor, Detector, Superresolution, Recognition."""
    classes: tuple[dict[int, str], ...] = ()
    """Name by number from 0, for each output or for all."""
    resolution_cm: float | None = None
    """Centimetres per cell."""
    tile_size: int | None = None
    """Cells on a side of a block."""
    overlap_percent: float | None = None
    """Overlap of neighbouring blocks, per cent of a block."""
    mean: tuple[float, ...] | None = None
    """Of every band, after its values have been divided by 255."""
    std: tuple[float, ...] | None = None
    """The same."""
    threshold: float | None = None
    """Lower probabilities than this mean the first class; 0: none do."""
    scaling: float = 1.0
    """Multiplies the values of a regressor."""
    median: int = 0
    """Side of a median filter over the classes, in cells; 0 or 1: none."""


def read_keys(metadata: Mapping[str, str]) -> Keys:
    """The keys of a model file's metadata.

    Raises:
        ModelError: a value that cannot be; the message lacks its subject.
    """
    values = {key: _value(key, text) for key, text in metadata.items() if key in _KNOWN}
    if not values:
        return Keys()
    model_type = values.get("model_type")
    mean, std = _numbers(values, "standardization_mean"), _numbers(values, "standardization_std")
    if (mean is None) != (std is None):
        raise ModelError(
            "names a mean without a standard deviation, or the reverse: give --mean and --std"
        )
    tile = _number(values, "tile_size", 1, 2**20)
    if tile is None:
        tile = _number(values, "tiles_size", 1, 2**20)
    names = values.get("class_names", values.get("names"))
    scaling = _number(values, "reg_output_scaling", -math.inf, math.inf)
    return Keys(
        any=True,
        model_type=None if model_type is None else str(model_type),
        classes=_classes(names),
        resolution_cm=_number(values, "resolution", 1e-6, 1e9),
        tile_size=None if tile is None else int(tile),
        overlap_percent=_number(values, "tiles_overlap", 0, 99),
        mean=mean,
        std=std,
        threshold=_number(values, "seg_thresh", 0, 1),
        scaling=1.0 if scaling is None else scaling,
        median=int(_number(values, "seg_small_segment", 0, 2**20) or 0),
    )


def _value(key: str, text: str) -> Any:
    """JSON, else a Python literal, else the text as it is."""
    if len(text) > _LONGEST:
        raise ModelError(f"has {len(text):,} characters under {key}: export it again")
    for parse in (json.loads, ast.literal_eval):
        try:
            return parse(text)
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            continue
    if text.strip()[:1] in tuple("[{(\"'"):
        raise ModelError(f"says {key} = {text.strip()[:40]!r}, which is cut off: mend its metadata")
    return text.strip()


def _number(values: Mapping[str, Any], key: str, low: float, high: float) -> float | None:
    value = values.get(key)
    if value is None:
        return None
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not (math.isfinite(number) and low <= number <= high):
        limits = f", {low:g} to {high:g} is possible" if math.isfinite(low) else ""
        raise ModelError(f"says {key} = {str(value)[:40]!r}{limits}: mend its metadata")
    return number


def _numbers(values: Mapping[str, Any], key: str) -> tuple[float, ...] | None:
    found = values.get(key)
    if found is None:
        return None
    listed = found if isinstance(found, list | tuple) else [found]
    numbers = tuple(_number({key: item}, key, -math.inf, math.inf) for item in listed)
    if not numbers or None in numbers:
        raise ModelError(f"says {key} = {str(found)[:40]!r}: a number for every band is needed")
    return tuple(float(number) for number in numbers if number is not None)


def _classes(names: Any) -> tuple[dict[int, str], ...]:
    """Names by number, one table for every output; a plain list names the classes in order."""
    if names is None:
        return ()
    listed = list(names) if isinstance(names, list | tuple) else [names]
    if listed and not any(isinstance(item, Mapping) for item in listed):
        listed = [dict(enumerate(listed))]
    return tuple(_table(item) for item in listed)


def _table(names: Any) -> dict[int, str]:
    try:
        table = {int(number): _printable(name) for number, name in names.items()}
    except (AttributeError, TypeError, ValueError, OverflowError):
        table = {}
    if not table or sorted(table) != list(range(len(table))):
        raise ModelError(
            f"numbers its classes {str(names)[:60]!r}, not 0, 1, 2 and so on: give --classes"
        )
    return dict(sorted(table.items()))


def _printable(name: Any) -> str:
    """A name that styles and tables can hold."""
    shown = "".join(letter if letter.isprintable() else " " for letter in str(name)[:80])
    return shown.strip()
