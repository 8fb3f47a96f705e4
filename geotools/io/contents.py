"""describe_raster: what a raster file says of itself, before anybody asks it for cells."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from geotools.io.gate import local_raster, open_dataset

__all__ = ["describe_raster"]


def describe_raster(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What a raster file says of itself, as plain values, even when it lacks a CRS or a place.

    Raises:
        FileError: the path cannot be opened as a raster.
    """
    name = os.fspath(path)
    dataset = open_dataset(name, *local_raster(name))
    with dataset:
        crs = dataset.crs or (dataset.gcps[1] if dataset.gcps[0] else None)
        return {
            "kind": "raster",
            "path": name,
            "format": dataset.driver,
            "width": dataset.width,
            "height": dataset.height,
            "crs": crs.to_string() if crs else None,
            "transform": list(dataset.transform)[:6],
            "bounds": list(dataset.bounds),
            "block_shape": list(dataset.block_shapes[0]),
            "compression": dataset.compression.name if dataset.compression else None,
            "overviews": dataset.overviews(1),
            "bands": [
                {
                    "name": dataset.descriptions[index] or f"band {index + 1}",
                    "dtype": dataset.dtypes[index],
                    "nodata": _plain_number(dataset.nodatavals[index]),
                    "unit": dataset.units[index] or "",
                    "scale": dataset.scales[index],
                    "offset": dataset.offsets[index],
                    "color": dataset.colorinterp[index].name,
                }
                for index in range(dataset.count)
            ],
            "tags": {key: value for key, value in dataset.tags().items() if key != "AREA_OR_POINT"},
        }


def _plain_number(value: float | None) -> float | str | None:
    """JSON has no NaN."""
    return str(value) if value is not None and not np.isfinite(value) else value
