"""write_split: a split as a layer to look at in QGIS: blocks, polygons, or points, by fold.

However many cells there are, the layer has some thousands of features; a table without places
becomes one without geometry.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.io.attributes import write_attributes
from geotools.io.foldstyle import category_qml
from geotools.io.geopackage import write_layer
from geotools.training.labels.classes import fold_colors
from geotools.training.splits.rounds import Split

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

    from geotools.grid import Grid
    from geotools.spec import ClassInfo
    from geotools.training.labels.cells import Cells

__all__ = ["LAYER", "write_split"]

LAYER = "split"

_POINTS = 20_000
"""Cells that are drawn one by one at most."""
_ACROSS = 60
"""Squares along the longer side, where cells are too many to be drawn one by one."""
_ROWS = 100_000

_ROLES = ("train", "validation", "test", "not used")
_ROLE_COLORS = ("#4477aa", "#ccbb44", "#ee6677", "#bbbbbb")


def write_split(
    path: str | os.PathLike[str],
    split: Split,
    cells: Cells,
    *,
    grids: Sequence[Grid] = (),
    crs: Any = None,
    classes: Sequence[ClassInfo] = (),
    overwrite: bool = False,
    metadata: Mapping[str, str] | None = None,
) -> int:
    """The number of features written to the layer `split` of a GeoPackage.

    Each has `part`: "fold 2", or with one round its role; `fold` from 1, 0 for what is never
    tested; `validation`, the round it decides in, 0 for none; `cells`, and the cells of each class.

    Args:
        path: the `.gpkg`.
        split: of these cells.
        cells: the labelled cells.
        grids: the grid of each scene; none for a table.
        crs: rasterio.crs.CRS of the places of a table.
        classes: the classes; none for values.
        overwrite: replace the file.
        metadata: stored with the layer.

    Raises:
        FileError: as `write_layer`.
    """
    parts = _Parts(split, cells, classes)
    crs = grids[0].crs if grids else crs
    if crs is None or not np.isfinite(cells.x).all():
        return write_attributes(path, parts.rows(), layer=LAYER, overwrite=overwrite)
    frame = _frame(parts, split, cells, grids).set_crs(crs.wkt)
    style = category_qml("part", parts.colors, points=bool((frame.geom_type == "Point").all()))
    metadata = {"split": split.title, **(metadata or {})}
    return write_layer(
        path, frame, layer=LAYER, overwrite=overwrite, style=style, metadata=metadata, record=False
    )  # evaluation.json is the record of its folder


class _Parts:
    """What each cell is in the split, and tables of it."""

    def __init__(self, split: Split, cells: Cells, classes: Sequence[ClassInfo]) -> None:
        self._target = cells.target
        self._classes = classes
        self.fold = split.fold.astype(np.int64) + 1  # (n,) 0 for never
        self.validation = np.zeros(len(cells), np.int64)
        for number, one in reversed(list(enumerate(split.rounds, 1))):
            self.validation[one.validation] = number
        if len(split.rounds) == 1:
            self.names = list(_ROLES)
            self.code = np.full(len(cells), 3)
            only = split.rounds[0]
            for code, index in enumerate((only.train, only.validation, only.test)):
                self.code[index] = code
            self.colors = list(zip(_ROLES, _ROLE_COLORS, strict=True))
        else:
            folds = len(split.rounds)
            self.names = [f"fold {number}" for number in range(1, folds + 1)]
            self.names.append("never tested")
            self.code = np.where(self.fold > 0, self.fold - 1, folds)
            self.colors = list(zip(self.names, [*fold_colors(folds), "#bbbbbb"], strict=True))

    def table(self, place: NDArray[np.int64]) -> dict[str, Any]:
        """Columns for features from 0, by the (n,) feature of each cell, -1 for none."""
        there = place >= 0
        place, count = place[there], int(place.max(initial=-1)) + 1
        first = np.zeros(count, np.intp)
        first[place[::-1]] = np.flatnonzero(there)[::-1]
        columns: dict[str, Any] = {
            "part": [self.names[code] for code in self.code[first]],
            "fold": self.fold[first],
            "validation": self.validation[first],
            "cells": np.bincount(place, minlength=count),
        }
        target = self._target[there]
        for index, info in enumerate(self._classes):
            columns[f"n{info.code}_{info.name}"] = np.bincount(
                place[target == index], minlength=count
            )
        if not self._classes:
            sums = np.bincount(place, target.astype(np.float64), count)
            columns["mean"] = sums / np.maximum(columns["cells"], 1)
        return columns

    def rows(self) -> Any:
        """A DataFrame of the rows of a table, or of its parts where there are many."""
        import pandas as pd

        if len(self.code) > _ROWS:
            _, place = np.unique(self.code, return_inverse=True)
            return pd.DataFrame(self.table(place.reshape(-1)))
        frame = pd.DataFrame(
            {
                "part": [self.names[code] for code in self.code],
                "fold": self.fold,
                "validation": self.validation,
            }
        )
        names = [info.name for info in self._classes]
        frame["target"] = [names[one] for one in self._target] if names else self._target
        return frame


def _frame(parts: _Parts, split: Split, cells: Cells, grids: Sequence[Grid]) -> GeoDataFrame:
    """The features, with geometries in the CRS of the cells."""
    import geopandas
    import shapely

    half = (0.0, 0.0)
    if grids:
        half = (grids[0].transform.a / 2, -grids[0].transform.e / 2)
    if split.blocks is not None:
        units, place = np.unique(split.unit, return_inverse=True)
        place = place.reshape(-1)
        shapes = shapely.box(*split.blocks.bounds(units).T)
    elif split.kind == "polygons":
        units, place = np.unique(split.unit, return_inverse=True)
        place = place.reshape(-1)
        shapes = _hulls(place, cells, half)
    elif len(cells) <= _POINTS or split.kind == "random":
        some = np.random.default_rng(0).permutation(len(cells))[:_POINTS]
        place = np.full(len(cells), -1)
        place[some] = np.arange(len(some))
        shapes = shapely.points(cells.x[some], cells.y[some])
    else:
        place, shapes = _squares(parts.code, cells)
    return geopandas.GeoDataFrame(parts.table(place), geometry=shapes)


def _hulls(
    place: NDArray[np.int64], cells: Cells, half: tuple[float, float]
) -> NDArray[np.object_]:
    """(units,) convex hulls of the cells of each unit: enough to see where it is."""
    import shapely

    order = np.lexsort((cells.x, cells.y, place))
    unit, y, x = place[order], cells.y[order], cells.x[order]
    begins = np.r_[True, (np.diff(unit) != 0) | (np.diff(y) != 0)]  # rows of cells
    ends = np.r_[begins[1:], True]
    keep = np.flatnonzero(begins | ends)
    unit, x, y = unit[keep], x[keep], y[keep]
    corners = [
        np.column_stack([x + sx * half[0], y + sy * half[1]]) for sx in (-1, 1) for sy in (-1, 1)
    ]
    owner = np.tile(unit, 4)
    points = shapely.points(np.concatenate(corners))
    order = np.argsort(owner, kind="stable")
    return np.asarray(shapely.convex_hull(shapely.multipoints(points[order], indices=owner[order])))


def _squares(
    code: NDArray[np.int64], cells: Cells
) -> tuple[NDArray[np.int64], NDArray[np.object_]]:
    """(n,) feature of each cell, and squares, one for each part that is in one."""
    import shapely

    left, bottom = cells.x.min(), cells.y.min()
    side = max(np.ptp(cells.x), np.ptp(cells.y)) / _ACROSS * 1.000001
    col = np.floor((cells.x - left) / side).astype(np.int64)
    row = np.floor((cells.y - bottom) / side).astype(np.int64)
    parts = int(code.max()) + 1
    keys, place = np.unique((row * (_ACROSS + 1) + col) * parts + code, return_inverse=True)
    square = keys // parts
    x = left + square % (_ACROSS + 1) * side
    y = bottom + square // (_ACROSS + 1) * side
    return place.reshape(-1), np.asarray(shapely.box(x, y, x + side, y + side))
