"""write_stac: the STAC Item beside a model, by the machine learning model extension (MLM).

STAC 1.1, MLM 1.5.2: https://github.com/stac-extensions/mlm. Written from the spec and the file.
"""

from __future__ import annotations

import calendar
import hashlib
import json
import math
import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import onnx

from geotools.errors import FileError
from geotools.grid import Grid
from geotools.io.atomic import write_atomic
from geotools.spec import InputInfo, ModelSpec, OutputInfo
from geotools.training.learners.settings import LEARNERS, NetSettings, Settings
from geotools.training.learners.table import title

__all__ = ["write_stac"]

_EXTENSIONS = (
    "https://stac-extensions.github.io/mlm/v1.5.2/schema.json",
    "https://stac-extensions.github.io/file/v2.1.0/schema.json",
    "https://stac-extensions.github.io/classification/v2.0.0/schema.json",
)

_TASKS = {"regression", "classification", "semantic-segmentation"}
"""Of the extension's words, those that our models do."""

_ALWAYS = ("1900-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
"""What the extension's authors write for models that are of no time."""

_SHA256 = "1220"
"""How a multihash of SHA-256 begins: function 0x12, 0x20 bytes."""


def write_stac(
    path: str | os.PathLike[str],
    spec: ModelSpec,
    model_path: str | os.PathLike[str],
    *,
    architecture: str | None = None,
    grids: Sequence[Grid] = (),
    bbox: tuple[float, float, float, float] | None = None,
    datetimes: tuple[str, str] | None = None,
    hyperparameters: Mapping[str, Any] | None = None,
    derived_from: Sequence[str] = (),
    pretrained_source: str | None = None,
    artifact_type: str | None = None,
) -> dict[str, Any]:
    """Writes the Item and returns it.

    Args:
        path: the `.json` file; replaced when it exists.
        spec: of the model.
        model_path: the `.onnx` file, which the Item names relative to its own place.
        architecture: in words, such as "U-Net"; that of the spec's learner when None.
        grids: of the training data.
        bbox: west, south, east, north of the training data, degrees; that of the grids when None.
        datetimes: first and last time of the training data, RFC 3339 in UTC; from the dates of
            the spec's sources when None, all times without any.
        hyperparameters: by name; the parameters of the spec when None.
        derived_from: links to the data.
        pretrained_source: model or data that weights were taken from; None: none were.
        artifact_type: what wrote the file; `torch.onnx.export` for nets when None, else
            `onnx.save`.

    Raises:
        FileError: the model cannot be read, or the Item cannot be written.
    """
    model = Path(model_path)
    try:
        content = model.read_bytes()
    except OSError as error:
        raise FileError(f"The model {model} cannot be read: {error.strerror}.") from None
    learner = str(spec.parameters.get("learner", ""))
    properties = _properties(
        spec, architecture or title(learner) or spec.name, datetimes or _times(spec)
    )
    if bbox is None:
        bbox = _extent(grids)
    if artifact_type is None:
        net = not learner or issubclass(LEARNERS.get(learner, Settings), NetSettings)
        artifact_type = "torch.onnx.export" if net else "onnx.save"
    properties |= {
        "mlm:total_parameters": _parameters(onnx.load_from_string(content)),
        "mlm:pretrained": pretrained_source is not None,
        "mlm:pretrained_source": pretrained_source,
        "mlm:hyperparameters": _hyperparameters(
            spec, spec.parameters if hyperparameters is None else hyperparameters
        ),
    }
    item: dict[str, Any] = {
        "type": "Feature",
        "stac_version": "1.1.0",
        "stac_extensions": list(_EXTENSIONS),
        "id": re.sub(r"[^\w.-]+", "-", f"{spec.name}-{spec.version}".strip("-")),
        "geometry": None if bbox is None else _geometry(bbox),
        **({} if bbox is None else {"bbox": list(bbox)}),
        "properties": properties,
        "links": [{"rel": "derived_from", "href": href} for href in derived_from],
        "assets": {
            "model": {
                "href": Path(os.path.relpath(model, Path(path).parent)).as_posix(),
                "type": "application/octet-stream; application=onnx",
                "title": f"{spec.name}, ONNX with its geotools spec inside",
                "roles": ["mlm:model", "mlm:weights"],
                # STAC 1.1 wants bands here when they are in the properties, MLM wants them there.
                "bands": properties["bands"],
                "mlm:artifact_type": artifact_type,
                "file:size": len(content),
                "file:checksum": _SHA256 + hashlib.sha256(content).hexdigest(),
            }
        },
    }
    with write_atomic(path, overwrite=True) as part:
        text = json.dumps(item, indent=2, ensure_ascii=False, allow_nan=False)
        part.write_text(text + "\n", encoding="utf-8")
    return item


def _properties(spec: ModelSpec, architecture: str, times: tuple[str, str]) -> dict[str, Any]:
    low, high = spec.cell_size_m
    task = spec.task if spec.task in _TASKS else "regression"
    properties: dict[str, Any] = {
        "description": spec.description or f"{spec.name}, a model made by geotools.",
        "datetime": None,
        "start_datetime": times[0],
        "end_datetime": times[1],
        "gsd": float(f"{math.sqrt(low * high):.6g}"),
        "bands": _bands(spec),
        "mlm:name": _plain_name(spec.name),
        "mlm:architecture": architecture,
        "mlm:tasks": [task],
        "mlm:framework": "ONNX",
        "mlm:accelerator": None,
        "mlm:accelerator_constrained": False,
        "mlm:batch_size_suggestion": 1,
        "mlm:input": [_input(item) for item in spec.inputs],
        "mlm:output": [_output(item, spec, task) for item in spec.outputs],
    }
    if version := re.match(r"\d+\.\d+\.\d+", onnx.__version__):
        properties["mlm:framework_version"] = version.group()
    if spec.parameters.get("table"):
        del properties["gsd"]  # rows have no size
    if spec.licence:
        spdx = re.fullmatch(r"[\w.+-]+", spec.licence)
        properties["license"] = spec.licence if spdx else "other"
    return properties


def _bands(spec: ModelSpec) -> list[dict[str, Any]]:
    """All bands of all inputs, once each, as STAC describes them."""
    bands: dict[str, dict[str, Any]] = {}
    for item in spec.inputs:
        for name in item.bands if item.kind != "cell_size" else ():
            band = {"name": name, "data_type": "float32"}
            if item.unit:
                band["unit"] = item.unit
            bands.setdefault(name, band)
    return list(bands.values())


def _input(item: InputInfo) -> dict[str, Any]:
    count = len(item.bands)
    shapes: dict[str, tuple[list[int], list[str]]] = {
        "raster": ([-1, count, -1, -1], ["batch", "bands", "height", "width"]),
        "features": ([-1, count], ["batch", "bands"]),
        "sequence": ([-1, item.length, count // item.length], ["batch", "time", "bands"]),
        "cell_size": ([-1, 2, -1, 1], ["batch", "axis", "height", "one"]),
        "horizon": ([1], ["horizon"]),
    }
    words = {
        "raster": "Values as they are in the raster; NaN where invalid. Scaling is in the graph.",
        "features": "One row per cell, in the order of the bands; NaN where undefined.",
        "sequence": "One cell, its dates oldest first; bands are listed date by date.",
        "cell_size": "Cells of each row in metres: east-west, north-south.",
        "horizon": "Days.",
    }
    shape, order = shapes[item.kind]
    return {
        "name": item.name,
        "description": words[item.kind],
        "bands": list(item.bands) if "bands" in order else [],
        "input": {"shape": shape, "dim_order": order, "data_type": "float32"},
        "value_scaling": None,
        "resize_type": None,
    }


def _output(item: OutputInfo, spec: ModelSpec, task: str) -> dict[str, Any]:
    raster = any(one.kind == "raster" for one in spec.inputs)
    channel = "class" if item.kind == "probabilities" else "value"
    shape = [-1] if item.kind == "rates" else [-1, len(item.classes) or 1]
    order = ["batch"] if item.kind == "rates" else ["batch", channel]
    if raster:
        shape, order = [*shape, -1, -1], [*order, "height", "width"]
    output: dict[str, Any] = {
        "name": item.name,
        "tasks": [task],
        "result": {"shape": shape, "dim_order": order, "data_type": "float32"},
    }
    if item.kind == "probabilities":
        output["description"] = (
            "Probability of each class; geotools writes the code of the highest."
        )
    elif item.unit:
        output["description"] = f"In {item.unit}."
    if item.classes:
        output["classification:classes"] = [
            {
                "value": channel,
                "name": re.sub(r"[^0-9A-Za-z_-]+", "_", info.name).strip("_") or f"class_{channel}",
                "description": f"{info.name}: code {info.code} in maps",
                "color_hint": info.color.lstrip("#").upper(),
            }
            for channel, info in enumerate(item.classes)
        ]
    return output


def _hyperparameters(spec: ModelSpec, given: Mapping[str, Any]) -> dict[str, Any]:
    """The learner's, and ours under names that begin with `geotools.`."""
    ours = {
        "halo": spec.halo,
        "tile": spec.tile,
        "stride_multiple": spec.stride_multiple,
        "nodata": "invalid cells are NaN on input and 0 in maps",
        **{f"parity.{name}": value for name, value in spec.parity.items()},
    }
    values = {**given, **{f"geotools.{name}": value for name, value in ours.items()}}
    return {re.sub(r"[^0-9a-zA-Z_.-]", "_", name): _plain(value) for name, value in values.items()}


def _plain(value: Any) -> Any:
    """As JSON holds it: no NaN, no tuples."""
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(one) for one in value]
    return value if isinstance(value, (str, int, float, type(None))) else str(value)


def _plain_name(name: str) -> str:
    """The name in the letters that the extension allows; at least three of them."""
    plain = re.sub(r"[^a-zA-Z0-9_.\s-]+", "-", name).strip("-_. ")
    return plain if re.fullmatch(r"[a-zA-Z][\w.\s-]+[a-zA-Z0-9]", plain) else f"model-{plain or 0}"


def _times(spec: ModelSpec) -> tuple[str, str]:
    """First and last date of the spec's sources; all times when none is dated."""
    dates = [
        found.groups()
        for source in spec.sources
        for date in source.dates
        if (found := re.match(r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(\d\d))?)?", date))
    ]
    if not dates:
        return _ALWAYS
    first = min(f"{year}-{month or '01'}-{day or '01'}" for year, month, day in dates)
    last = max(
        f"{year}-{month or '12'}-{day or calendar.monthrange(int(year), int(month or 12))[1]:02}"
        for year, month, day in dates
    )
    return f"{first}T00:00:00Z", f"{last}T23:59:59Z"


def _extent(grids: Sequence[Grid]) -> tuple[float, float, float, float] | None:
    """West, south, east, north of all grids in degrees; None when they are nowhere on the Earth."""
    from pyproj import Transformer
    from pyproj.exceptions import ProjError

    found = []
    for grid in grids:
        try:
            to_degrees = Transformer.from_crs(grid.crs.to_wkt(), "OGC:CRS84", always_xy=True)
            bounds = to_degrees.transform_bounds(*grid.bounds)
        except ProjError:
            return None
        if not all(math.isfinite(value) for value in bounds):
            return None
        found.append([round(value, 6) for value in bounds])
    if not found:
        return None
    if len(found) > 1 and any(west > east for west, _, east, _ in found):
        west, east = -180.0, 180.0  # some cross the 180th meridian
    else:
        west, east = min(one[0] for one in found), max(one[2] for one in found)
    return west, min(one[1] for one in found), east, max(one[3] for one in found)


def _geometry(bbox: tuple[float, float, float, float]) -> dict[str, Any]:
    """The rectangle; two of them where it crosses the 180th meridian (west > east)."""
    west, south, east, north = bbox
    sides = [(west, east)] if west <= east else [(west, 180.0), (-180.0, east)]
    rings = [[[[a, south], [b, south], [b, north], [a, north], [a, south]]] for a, b in sides]
    if len(rings) == 1:
        return {"type": "Polygon", "coordinates": rings[0]}
    return {"type": "MultiPolygon", "coordinates": rings}


def _parameters(model: onnx.ModelProto) -> int:
    """Numbers that were learned: weights of layers, and values of the nodes of trees."""
    count = 0
    for tensor in model.graph.initializer:
        if tensor.data_type in (onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE):
            count += math.prod(tensor.dims)
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.name in ("nodes_values", "class_weights", "target_weights"):
                count += len(attribute.floats)
    return count
