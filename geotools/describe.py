"""describe: what is in a raster, a vector layer or a model, as plain values and as text."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geotools.errors import FileError, GeotoolsError
from geotools.grid import Grid

__all__ = ["as_text", "describe"]


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What the file says of itself; `kind` is raster, layers or model.

    Raises:
        GeotoolsError: it is none of these, or cannot be read.
    """
    name = os.fspath(path)
    if not name.startswith("/vsizip/"):
        file = Path(name)
        if not file.exists():
            raise FileError(f"{name} does not exist: check the path.")
        if file.suffix.lower() == ".onnx":
            return _model(file)
        if file.suffix.lower() == ".gpkg":
            return _layers(file)
    return _raster(name)


def as_text(description: Mapping[str, Any]) -> str:
    """The description as indented lines for people."""
    return "\n".join(_lines(description, 0))


def _model(file: Path) -> dict[str, Any]:
    from geotools.inference.model import open_model

    model = open_model(file)
    spec = json.loads(model.spec.to_json())
    return {"kind": "model", "path": str(file), "sha256": model.sha256, **spec}


def _layers(file: Path) -> dict[str, Any]:
    from geotools.io.geopackage import describe_layers

    layers = [dataclasses.asdict(layer) for layer in describe_layers(file)]
    return {"kind": "layers", "path": str(file), "layers": layers}


def _raster(name: str) -> dict[str, Any]:
    from geotools.io.contents import describe_raster
    from geotools.io.geotiff import open_raster

    found = describe_raster(name)
    try:
        with open_raster(name) as source:
            found["cell_size_m"] = _sizes(source.grid)
        found["usable"] = "yes"
    except GeotoolsError as error:
        found["usable"] = f"no: {error}"
    return found


def _sizes(grid: Grid) -> list[float]:
    """Cell size in metres along x and y at the middle row."""
    x_m, y_m = grid.cell_size_m()
    middle = grid.height // 2
    return [round(float(x_m[middle]), 4), round(float(y_m[middle]), 4)]


def _lines(values: Mapping[str, Any], depth: int) -> list[str]:
    indent = "  " * depth
    lines: list[str] = []
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines += [f"{indent}{key}:", *_lines(value, depth + 1)] if value else []
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            lines.append(f"{indent}{key}:")
            for item in value:
                lines.append(f"{indent}  - " + ", ".join(_pairs(item)))
        else:
            lines.append(f"{indent}{key}: {_short(value)}")
    return lines


def _pairs(item: Mapping[str, Any]) -> list[str]:
    return [f"{key} {_short(value)}" for key, value in item.items() if value not in ("", None, [])]


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(_short(item) for item in value)
    if isinstance(value, Mapping):
        return "; ".join(_pairs(value))
    if isinstance(value, float):
        return f"{value:.10g}"
    return "none" if value is None else str(value)
