"""export_deepness: the variant of a model that the QGIS plugin Deepness runs.

The plugin gives one image of a fixed size, divided by 255 and standardised, and wants one output of
the same size. What it cannot give, features that are computed outside the graph, is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

from geotools.errors import FileError, ModelError
from geotools.io.atomic import check_output
from geotools.spec import METADATA_KEY, InputInfo, ModelSpec
from geotools.training.export.deepness_graph import IMAGE, row_shape, size_inputs, static_variant
from geotools.training.export.parity import Parity, compare, open_session
from geotools.training.export.writer import deepness_keys, write_graph

__all__ = ["DeepnessModel", "export_deepness"]

_LARGEST_BYTES = 2**31 - 1
"""Protobuf holds no more."""

_TILE, _ROW_TILE = 512, 128
"""Cells on a side when nothing is said; a model of single cells runs all cells of a tile at once,
and what it keeps of each may be large."""

_TILES = (16, 8192)
"""Smallest and largest tile, cells on a side."""

_MOST_OVERLAP = 90
"""Per cent; beyond, a map takes a hundred times as long."""

_MEAN_TOLERANCE = 1e-3
"""Largest mean difference between the variant and its model: what is divided by 255 and multiplied
again may be off by one step of float32, and cross the threshold of a tree."""

_AGREEMENT = 0.99
"""Smallest share of cells with the same class."""


@dataclass(frozen=True, slots=True)
class DeepnessModel:
    """What was written, and how well it repeats the model it came from."""

    path: Path
    """The `.onnx` file."""
    bands: tuple[str, ...]
    """What the channels of the image are, in order."""
    tile: int
    """Cells on a side."""
    overlap: int
    """Overlap of tiles, per cent."""
    resolution_cm: float
    """Cell size that the plugin brings images to, centimetres."""
    parity: Parity
    """The variant, run as the plugin runs it, against the model."""


def export_deepness(
    model_path: str | os.PathLike[str],
    output: str | os.PathLike[str],
    *,
    tile: int | None = None,
    resolution_cm: float | None = None,
    overlap: int | None = None,
    overwrite: bool = False,
    image: NDArray[np.float32] | None = None,
) -> DeepnessModel:
    """Writes the variant of a model for Deepness: one image of one size in, one map out.

    Args:
        model_path: an `.onnx` file that geotools wrote.
        output: the `.onnx` file to write.
        tile: cells on a side of the image; 512 when None, 128 for models of single cells.
        resolution_cm: cell size in centimetres; the middle of the model's range when None.
        overlap: of tiles, per cent; as much as the model's halo needs when None.
        overwrite: replace the file when it exists.
        image: (bands, tile, tile) float32 to compare variant and model on; a made-up one when None.

    Raises:
        FileError: the model cannot be read, or the file cannot be written.
        ModelError: the model takes what the plugin cannot give, the tile is too small for its
            halo, or the variant does not repeat the model.
    """
    target = check_output(output, overwrite=overwrite)
    content = _read(Path(model_path))
    graph, spec = _parse(Path(model_path), content)
    info = _data_input(spec)
    _check_sources(spec)
    if tile is None:
        tile = _TILE if info.kind == "raster" else _ROW_TILE
    overlap = _overlap(spec, tile, overlap)
    if resolution_cm is not None and not (math.isfinite(resolution_cm) and resolution_cm > 0):
        raise ModelError(f"A resolution of {resolution_cm} cm cannot be: give centimetres.")
    smallest, largest = (size * 100 for size in spec.cell_size_m)
    if resolution_cm is not None and not smallest <= resolution_cm <= largest:
        raise ModelError(
            f"The model {spec.name} is made for cells of {smallest:g} to {largest:g} cm, not of "
            f"{resolution_cm:g}: choose a resolution between."
        )
    bands = info.bands or spec.features
    keys = deepness_keys(
        spec, tile=tile, resolution_cm=resolution_cm, overlap=overlap, bands=len(bands)
    )
    resolution = float(json.loads(keys["resolution"]))
    variant = static_variant(graph, spec, info, tile, resolution / 100)
    source = {
        "name": spec.name, "version": spec.version, "licence": spec.licence, "bands": list(bands),
        "sha256": hashlib.sha256(content).hexdigest(),
    }  # fmt: skip
    picture = _picture(len(bands), tile, bool(size_inputs(spec))) if image is None else image
    if picture.shape != (len(bands), tile, tile):
        raise ModelError(
            f"The image to compare on has the shape {picture.shape}: give "
            f"{(len(bands), tile, tile)}."
        )
    parity = _prove(content, variant, spec, info, picture, resolution / 100)
    write_graph(variant, target, {**keys, "geotools_source": json.dumps(source)})
    return DeepnessModel(target, bands, tile, overlap, resolution, parity)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise ModelError(f"{path} is larger than 2 GB: export a smaller model.")
        return path.read_bytes()
    except FileNotFoundError:
        raise FileError(f"The model {path} does not exist: check the path.") from None
    except OSError as error:
        raise FileError(f"The model {path} cannot be read: {error.strerror}.") from None


def _parse(path: Path, content: bytes) -> tuple[onnx.ModelProto, ModelSpec]:
    try:
        graph = onnx.load_from_string(content)
    except Exception:  # protobuf's errors share no public base class
        raise ModelError(f"{path} is not an ONNX model: give a .onnx file.") from None
    metadata = {entry.key: entry.value for entry in graph.metadata_props}
    if METADATA_KEY not in metadata:
        raise ModelError(f"{path} carries no geotools spec: give a model that geotools exported.")
    return graph, ModelSpec.from_json(metadata[METADATA_KEY])


def _data_input(spec: ModelSpec) -> InputInfo:
    """The one input that becomes the image."""
    others = [item for item in spec.inputs if item.kind != "cell_size"]
    kinds = [item.kind for item in others]
    if len(kinds) != 1 or kinds[0] not in ("raster", "features", "sequence"):
        raise ModelError(
            f"The model {spec.name} takes {', '.join(item.name for item in others) or 'no raster'}:"
            " Deepness gives one image and nothing else."
        )
    if spec.outputs[0].kind not in ("probabilities", "values"):
        raise ModelError(
            f"The model {spec.name} gives {spec.outputs[0].kind}: Deepness takes classes or values."
        )
    return others[0]


def _check_sources(spec: ModelSpec) -> None:
    """Nothing, when all features are bands of one raster."""
    if spec.parameters.get("table"):
        raise ModelError(
            f"The model {spec.name} takes the columns of a table, and Deepness gives an image: use "
            "geotools predict."
        )
    computed = [name for name in spec.features if name.startswith(("terrain.", "imagery."))]
    if computed:
        raise ModelError(
            f"The model {spec.name} takes features that are computed outside the model "
            f"({', '.join(computed)}), which Deepness cannot give: use geotools predict."
        )
    factor = next((source.z_factor for source in spec.sources if source.z_factor), 1.0)
    if factor != 1.0:
        raise ModelError(
            f"The model {spec.name} takes heights in metres of a raster in units of {factor:g} m, "
            "which Deepness gives as they are: train on a raster in metres."
        )
    if len(spec.sources) > 1 or any(source.dates for source in spec.sources):
        rasters = [
            f"{source.name}@{date}" if date else source.name
            for source in spec.sources
            for date in source.dates or ("",)
        ]
        raise ModelError(
            f"The model {spec.name} takes features of several rasters ({', '.join(rasters)}), "
            "Deepness gives one: use geotools predict."
        )


def _overlap(spec: ModelSpec, tile: int, overlap: int | None) -> int:
    """Overlap in per cent.

    The plugin moves tiles by `tile - int(2 tile overlap / 100) // 2` cells and keeps the middle of
    each, so that both halves of the overlap must hold the halo. Of the overlaps that do, the first
    whose step is a multiple of the model's stride is taken.
    """
    smallest, largest = _TILES
    if not (smallest <= tile <= largest and tile % spec.stride_multiple == 0):
        raise ModelError(
            f"A tile of {tile} cells cannot be: give {smallest} to {largest}, a multiple of "
            f"{spec.stride_multiple}."
        )
    least = 2 * spec.halo + (spec.halo > 0)

    def cells(percent: int) -> int:
        return int(tile * percent / 100 * 2) // 2

    if overlap is not None:
        if not 0 <= overlap <= _MOST_OVERLAP:
            raise ModelError(f"An overlap of {overlap} % cannot be: give 0 to {_MOST_OVERLAP}.")
        return overlap
    enough = [percent for percent in range(_MOST_OVERLAP + 1) if cells(percent) >= least]
    if not enough:
        raise ModelError(
            f"The model {spec.name} looks {spec.halo} cells around: a tile of {tile} cells is too "
            f"small, give at least {math.ceil(least / 0.85 / 32) * 32}."
        )
    even = [p for p in enough if (tile - cells(p)) % spec.stride_multiple == 0]
    return (even or enough)[0]


def _picture(bands: int, tile: int, heights: bool) -> NDArray[np.float32]:
    """A smooth image of whole numbers 0 to 255, or of heights up to 2,000 m."""
    rng = np.random.default_rng(0)
    row, col = np.mgrid[:tile, :tile]
    image = np.zeros((bands, tile, tile))
    for band in image:
        for _ in range(12):
            angle, phase = rng.uniform(0, 2 * np.pi, 2)
            length = rng.uniform(10, 200)
            along = row * np.sin(angle) + col * np.cos(angle)
            band += length * np.sin(2 * np.pi / length * along + phase)
        band -= band.min()
        band *= (2000.0 if heights else 255.0) / band.max()
    return (image if heights else np.rint(image)).astype(np.float32)


def _prove(
    content: bytes,
    variant: onnx.ModelProto,
    spec: ModelSpec,
    info: InputInfo,
    image: NDArray[np.float32],
    cell_m: float,
) -> Parity:
    """The variant, fed as the plugin does, against the model on the same image.

    Raises:
        ModelError: they differ too much.
    """
    output = spec.outputs[0]
    bands, rows, cols = image.shape
    inputs: dict[str, NDArray[Any]] = {
        name: np.full((1, 2, rows, 1), cell_m, np.float32) for name in size_inputs(spec)
    }
    if info.kind == "raster":
        inputs[info.name] = image[None]
    else:
        cells = np.ascontiguousarray(image.reshape(bands, -1).T)  # (cells, bands)
        inputs[info.name] = cells.reshape(row_shape(info, bands))
    there = open_session(content).run([output.name], inputs)[0]
    if info.kind != "raster":
        there = there.T.reshape(1, -1, rows, cols)
    scaled = np.float32(image[None] * 1.0 / 255.0) / np.float32(1 / 255)
    here = open_session(variant.SerializeToString()).run([output.name], {IMAGE: scaled})[0]
    parity = compare(there, here, kind=output.kind, on="one tile, values divided by 255")
    agreement = 1.0 if parity.class_agreement is None else parity.class_agreement
    scale = 1.0 if output.kind == "probabilities" else max(float(np.abs(there).max()), 1e-30)
    mean = float(np.abs(here - there).mean()) / scale
    if not (mean <= _MEAN_TOLERANCE and agreement >= _AGREEMENT):
        raise ModelError(
            f"The variant of {spec.name} is refused: it differs from the model by {mean:.1e} in "
            f"the mean and agrees in {agreement:.2%} of the classes; at most {_MEAN_TOLERANCE:g} "
            f"and at least {_AGREEMENT:.0%} are needed."
        )
    return parity
