"""describe: what is in a raster, a layer, a catalog or a model, as plain values and as text."""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from geotools.errors import EventsError, FileError, GeotoolsError, ModelError
from geotools.grid import Grid
from geotools.spec import METADATA_KEY

__all__ = ["as_text", "describe"]

_MAY_BE_CATALOG = {
    ".xml", ".qml", ".quakeml", ".csv", ".txt", ".tsv", ".json", ".geojson", ".ndk", ".dat",
    ".pha", ".reloc", ".zmap", ".parquet", ".gz", ".zip", ".out", ".evt",
}  # fmt: skip

_LISTED = 10
"""Items of a list that are shown to people."""
_LONGEST = 300
"""Characters of a text that are shown to people."""


def describe(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What the file says of itself; `kind` is raster, layers, catalog or model.

    Raises:
        GeotoolsError: it is none of these, or cannot be read.
    """
    name = os.fspath(path)
    if not name.startswith("/vsizip/"):
        file = Path(name)
        if not file.exists():
            if os.sep not in name and not file.suffix:
                from geotools.inference.model import shipped_models

                if name in shipped_models():
                    return _model(shipped_models()[name])
            raise FileError(f"{name} does not exist: check the path.")
        if file.suffix.lower() == ".onnx":
            return _model(file)
        if file.suffix.lower() == ".gpkg":
            return _layers(file)
        if file.suffix.lower() in _MAY_BE_CATALOG:
            try:
                return _catalog(file)
            except EventsError:
                raise
            except FileError as error:  # no catalog; some rasters are text too
                return _raster(name, otherwise=error)
    return _raster(name)


def as_text(description: Mapping[str, Any]) -> str:
    """The description as indented lines for people."""
    return "\n".join(_lines(description, 0))


def _model(file: Path) -> dict[str, Any]:
    from geotools.inference.opening import open_any, read_graph, read_identity
    from geotools.maps.predict_inputs import rasters_needed

    sha256, metadata = read_identity(file)
    found: dict[str, Any] = {"kind": "model", "path": str(file), "sha256": sha256}
    if METADATA_KEY in metadata:
        spec = open_any(file).spec
        given = rasters_needed(spec)
        if spec.parameters.get("table"):
            given = [f"a table with the columns {', '.join(spec.features)}"]
        found |= {"give": given} if given else {}
        found |= json.loads(spec.to_json())
        return found
    found["metadata"] = metadata
    found |= read_graph(file)
    try:
        model = open_any(file)
    except ModelError as error:
        return found | {"usable": f"no: {error}"}
    return found | {
        "give": rasters_needed(model.spec),
        "task": model.spec.task,
        "classes": [{"code": info.code, "name": info.name} for info in model.spec.classes],
        "run": dict(model.spec.parameters),
        "usable": "yes",
        "notes": list(model.notes),
    }


def _layers(file: Path) -> dict[str, Any]:
    from geotools.io.geopackage import describe_layers

    layers = [dataclasses.asdict(layer) for layer in describe_layers(file)]
    return {"kind": "layers", "path": str(file), "layers": layers, **_record(str(file))}


def _record(name: str) -> dict[str, str]:
    """The record beside a file, if any; it is not compared with the file."""
    from geotools.io.records import read_record, record_path

    try:
        record = read_record(name)
    except FileError:  # something else of that name
        return {}
    if record is None:
        return {}
    return {
        "record": f"{record_path(name).name}, by geotools {record.geotools}: geotools verify "
        "tells whether the file has changed since"
    }


def _catalog(file: Path) -> dict[str, Any]:
    from geotools.io.catalogs import read_catalog

    events, report = read_catalog(file, all_types=True)
    magnitude = events["magnitude"]
    found: dict[str, Any] = {
        "kind": "catalog",
        "path": str(file),
        "format": report.format,
        "events": len(events),
        "skipped": [dataclasses.asdict(item) for item in report.skipped],
        "notes": list(report.notes),
    }
    if len(events):
        found |= {
            "first": events["time"].iloc[0].isoformat(),
            "last": events["time"].iloc[-1].isoformat(),
            "bounds": [round(float(edge), 4) for edge in events.total_bounds],
            "magnitudes": [float(magnitude.min()), float(magnitude.max())],
            "without_magnitude": int(magnitude.isna().sum()),
            "magnitude_types": _counts(events["magnitude_type"]),
            "event_types": _counts(events["event_type"]),
        }
    return found


def _counts(texts: Any) -> dict[str, int]:
    """How often each text occurs, most frequent first; the ten most frequent."""
    counted = texts.replace("", "unknown").value_counts().head(10)
    return {str(text): int(count) for text, count in counted.items()}


def _raster(name: str, *, otherwise: FileError | None = None) -> dict[str, Any]:
    from geotools.io.contents import describe_raster
    from geotools.io.geotiff import open_raster

    try:
        found = describe_raster(name)
    except GeotoolsError:
        if otherwise is not None:
            raise otherwise from None
        raise
    try:
        with open_raster(name) as source:
            found["cell_size_m"] = _sizes(source.grid)
        found["usable"] = "yes"
    except GeotoolsError as error:
        found["usable"] = f"no: {error}"
    return found | _record(name)


def _sizes(grid: Grid) -> list[float]:
    """Cell size in metres along x and y at the middle row."""
    x_m, y_m = grid.cell_size_m()
    middle = grid.height // 2
    return [round(float(x_m[middle]), 4), round(float(y_m[middle]), 4)]


def _lines(values: Mapping[str, Any], depth: int) -> list[str]:
    indent = "  " * depth
    lines: list[str] = []
    for key, value in values.items():
        if isinstance(value, list) and not value:
            continue
        if isinstance(value, Mapping):
            lines += [f"{indent}{key}:", *_lines(value, depth + 1)] if value else []
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            lines.append(f"{indent}{key}:")
            for item in value:
                lines.append(f"{indent}  - " + ", ".join(_pairs(item)))
        elif key == "give" and isinstance(value, list):  # whole: it is what one has to do
            lines.append(f"{indent}{key}: {', '.join(map(_short, value))}")
        else:
            lines.append(f"{indent}{key}: {_short(value)}")
    return lines


def _pairs(item: Mapping[str, Any]) -> list[str]:
    return [f"{key} {_short(value)}" for key, value in item.items() if value not in ("", None, [])]


def _short(value: Any) -> str:
    if isinstance(value, list | tuple):
        more = f" and {len(value) - _LISTED} more" if len(value) > _LISTED else ""
        return ", ".join(_short(item) for item in value[:_LISTED]) + more
    if isinstance(value, Mapping):
        return "; ".join(_pairs(value))
    if isinstance(value, float):
        return f"{value:.10g}"
    text = "none" if value is None else str(value)
    return text if len(text) <= _LONGEST else f"{text[:40]}… ({len(text):,} characters)"
