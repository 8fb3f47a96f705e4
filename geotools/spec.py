"""ModelSpec: what a model file says of itself, to and from the JSON inside the `.onnx`.

One JSON string under the ONNX metadata key `geotools`, with a `schema_version`; task words are
those of the STAC machine learning model extension. No file is opened here.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from geotools.errors import ModelError

__all__ = [
    "INPUT_KINDS",
    "METADATA_KEY",
    "OUTPUT_KINDS",
    "ClassInfo",
    "InputInfo",
    "ModelSpec",
    "OutputInfo",
    "SourceInfo",
]

METADATA_KEY = "geotools"
"""The ONNX metadata key that holds the JSON."""

INPUT_KINDS = ("raster", "cell_size", "features", "sequence", "horizon")
OUTPUT_KINDS = ("probabilities", "values", "rates")

_SCHEMA_VERSION = 1


@dataclass(frozen=True, slots=True)
class ClassInfo:
    """One class of a map: its code in the raster, its name, its colour."""

    code: int
    """Value in the class raster, 1 to 254; 0 and 255 are kept for "nothing"."""
    name: str
    """Name in legends and tables."""
    color: str
    """`#rrggbb`."""

    def __post_init__(self) -> None:
        if not 1 <= self.code <= 254:
            raise ModelError(f"Class {self.name!r} has code {self.code}: give one from 1 to 254.")
        if not re.fullmatch(r"#[0-9a-fA-F]{6}", self.color):
            raise ModelError(f"Class {self.name!r} has colour {self.color!r}: give #rrggbb.")

    @property
    def rgb(self) -> tuple[int, int, int]:
        """Red, green and blue, 0 to 255."""
        return int(self.color[1:3], 16), int(self.color[3:5], 16), int(self.color[5:7], 16)


@dataclass(frozen=True, slots=True)
class InputInfo:
    """One input of the graph."""

    name: str
    """Name of the graph input."""
    kind: str
    """`raster`: (N, bands, H, W), NaN where invalid; `cell_size`: (N, 2, H, 1), metres per row;
    `features`: (N, bands), one row per cell; `sequence`: (N, length, bands / length) of a cell,
    the dates of a stack or the latest events, oldest first; `horizon`: (1,), days."""
    bands: tuple[str, ...] = ()
    """Names of bands or features in order; for `cell_size`, x and y; for the dates of a stack, all
    bands of the first date, then all of the second."""
    unit: str = ""
    """Physical unit of the values."""
    length: int = 1
    """Dates of a `sequence`."""

    def __post_init__(self) -> None:
        if self.kind not in INPUT_KINDS:
            raise ModelError(
                f"Model input {self.name!r} is of kind {self.kind!r}: known are "
                f"{', '.join(INPUT_KINDS)}."
            )


@dataclass(frozen=True, slots=True)
class SourceInfo:
    """One raster that the user gives, and how features find their bands in it."""

    name: str
    """Word that features call it by; rasters are given in the order of the spec's sources."""
    bands: tuple[str, ...]
    """Names of the bands that are used."""
    numbers: tuple[int, ...]
    """Their numbers from 1 in the rasters it was trained on."""
    count: int
    """Bands that those rasters had, alpha not counted."""
    kind: str = "values"
    """`values`, or `classes`: codes, never interpolated."""
    resampling: str = "bilinear"
    """How it is brought onto the grid of the first raster, in rasterio's words."""
    role: str = "other"
    """`elevation`: what `terrain` features are taken from."""
    dates: tuple[str, ...] = ()
    """Dates of a stack; as many rasters are given, in this order."""
    z_factor: float | None = None
    """Metres in one unit of the elevation, as stated in training; as the file says when None."""
    nodata: float | None = None
    """Value of missing cells, as stated in training; as the file says when None."""


@dataclass(frozen=True, slots=True)
class OutputInfo:
    """One output of the graph."""

    name: str
    """Name of the graph output."""
    kind: str
    """`probabilities`: (N, classes, H, W), summing to 1; `values`: (N, bands, H, W); both
    (N, classes or bands) for models of one cell; `rates`: (N,), expected number of events per cell
    in the window."""
    classes: tuple[ClassInfo, ...] = ()
    """The classes, in the order of the channels."""
    unit: str = ""
    """Physical unit of the values."""

    def __post_init__(self) -> None:
        if self.kind not in OUTPUT_KINDS:
            raise ModelError(
                f"Model output {self.name!r} is of kind {self.kind!r}: known are "
                f"{', '.join(OUTPUT_KINDS)}."
            )
        codes = [info.code for info in self.classes]
        if len(set(codes)) != len(codes):
            raise ModelError(f"Model output {self.name!r} has a class code twice: {codes}.")


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """All that is needed to run a model on a raster and to say where it came from."""

    name: str
    """Short name, as in the file name."""
    version: str
    """Version of the weights."""
    task: str
    """STAC MLM task: `semantic-segmentation`, `regression`, …"""
    description: str
    """One sentence for people."""
    inputs: tuple[InputInfo, ...]
    """Inputs of the graph."""
    outputs: tuple[OutputInfo, ...]
    """Outputs of the graph."""
    cell_size_m: tuple[float, float]
    """Smallest and largest cell size in metres that the model was made for."""
    tile: int = 1024
    """Cells on a side of a written tile that run well."""
    halo: int = 0
    """Cells of surroundings that a written cell depends on, as measured."""
    stride_multiple: int = 1
    """Tiles begin on a multiple of this many cells and are as long."""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    """What shaped the labels or the output, by name: search radius, thresholds, …"""
    training: Mapping[str, Any] = field(default_factory=dict)
    """Where the weights come from: data, licence of the data, seed, command, scores."""
    licence: str = ""
    """Licence of the model, as an SPDX identifier."""
    parity: Mapping[str, Any] = field(default_factory=dict)
    """Training framework against ONNX Runtime: largest difference, class agreement, on what."""
    sources: tuple[SourceInfo, ...] = ()
    """The rasters it takes; none: one raster, whose bands are those of the `raster` input."""
    features: tuple[str, ...] = ()
    """What is computed from the sources, by name as in `geotools.features`; inputs take these."""

    def __post_init__(self) -> None:
        low, high = self.cell_size_m
        if not 0 < low <= high:
            raise ModelError(f"Model {self.name!r} gives cell sizes {low} to {high} m: turn round.")
        if self.tile < 1 or self.halo < 0 or self.stride_multiple < 1:
            raise ModelError(
                f"Model {self.name!r} gives tile {self.tile}, halo {self.halo}, "
                f"stride_multiple {self.stride_multiple}: all must be positive (halo 0 or more)."
            )
        if not self.inputs or not self.outputs:
            raise ModelError(f"Model {self.name!r} names no inputs or no outputs in its spec.")

    @property
    def classes(self) -> tuple[ClassInfo, ...]:
        """The classes of the first output that has any."""
        return next((out.classes for out in self.outputs if out.classes), ())

    @property
    def bands(self) -> tuple[str, ...]:
        """The bands that a raster must bring, in order."""
        return next((inp.bands for inp in self.inputs if inp.kind == "raster"), ())

    def to_json(self) -> str:
        """The spec as one JSON string, keys in the order of the fields."""
        body = {"schema_version": _SCHEMA_VERSION, **dataclasses.asdict(self)}
        return json.dumps(body, ensure_ascii=False, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> ModelSpec:
        """The spec in a JSON string.

        Raises:
            ModelError: not JSON, another schema version, a key that is missing or of a wrong type.
        """
        try:
            body = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ModelError(
                f"The model's spec is not JSON ({error}): export the model again."
            ) from None
        if not isinstance(body, dict):
            raise ModelError("The model's spec is not a JSON object: export the model again.")
        version = body.pop("schema_version", None)
        if version != _SCHEMA_VERSION:
            raise ModelError(
                f"The model's spec has schema_version {version}, this geotools reads "
                f"{_SCHEMA_VERSION}: update geotools or export the model again."
            )
        known = {item.name for item in dataclasses.fields(cls)}
        if unknown := sorted(set(body) - known):
            raise ModelError(f"The model's spec has unknown keys {', '.join(unknown)}.")
        try:
            low, high = body["cell_size_m"]
            return cls(
                name=_text(body, "name"),
                version=_text(body, "version"),
                task=_text(body, "task"),
                description=_text(body, "description"),
                inputs=tuple(_input(item) for item in body["inputs"]),
                outputs=tuple(_output(item) for item in body["outputs"]),
                cell_size_m=(float(low), float(high)),
                tile=_whole(body, "tile"),
                halo=_whole(body, "halo"),
                stride_multiple=_whole(body, "stride_multiple"),
                parameters=dict(body["parameters"]),
                training=dict(body["training"]),
                licence=_text(body, "licence"),
                parity=dict(body["parity"]),
                sources=tuple(_source(item) for item in body.get("sources", ())),
                features=tuple(str(name) for name in body.get("features", ())),
            )
        except KeyError as error:
            raise ModelError(f"The model's spec lacks the key {error}.") from None
        except (TypeError, ValueError, AttributeError) as error:
            if isinstance(error, ModelError):
                raise
            raise ModelError(f"The model's spec has a value of a wrong type: {error}.") from None


def _text(body: Mapping[str, Any], key: str) -> str:
    if not isinstance(body[key], str):
        raise ModelError(f"The model's spec has {key} = {body[key]!r}: text is needed.")
    return str(body[key])


def _whole(body: Mapping[str, Any], key: str) -> int:
    value = body[key]
    if not isinstance(value, int) or isinstance(value, bool) or value > 2**20:
        raise ModelError(f"The model's spec has {key} = {value!r}: a whole number is needed.")
    return value


def _input(body: Mapping[str, Any]) -> InputInfo:
    bands = tuple(str(band) for band in body["bands"])
    length = _whole(body, "length") if "length" in body else 1
    return InputInfo(_text(body, "name"), _text(body, "kind"), bands, _text(body, "unit"), length)


def _source(body: Mapping[str, Any]) -> SourceInfo:
    return SourceInfo(
        name=_text(body, "name"),
        bands=tuple(str(band) for band in body["bands"]),
        numbers=tuple(int(number) for number in body["numbers"]),
        count=_whole(body, "count"),
        kind=_text(body, "kind"),
        resampling=_text(body, "resampling"),
        role=_text(body, "role"),
        dates=tuple(str(date) for date in body["dates"]),
        z_factor=None if body.get("z_factor") is None else float(body["z_factor"]),
        nodata=None if body.get("nodata") is None else float(body["nodata"]),
    )


def _output(body: Mapping[str, Any]) -> OutputInfo:
    classes = tuple(
        ClassInfo(_whole(item, "code"), _text(item, "name"), _text(item, "color"))
        for item in body["classes"]
    )
    return OutputInfo(_text(body, "name"), _text(body, "kind"), classes, _text(body, "unit"))
