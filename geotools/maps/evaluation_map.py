"""evaluate_map: how good a class map is, by labels that it was not made from."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ConfigError, FileError, LabelsError
from geotools.evaluation.judgement import judge, judge_areas
from geotools.evaluation.training_record import TrainingRecord, write_evaluation
from geotools.evaluation.training_report import write_report
from geotools.evaluation.training_words import result
from geotools.grid import TileScheme
from geotools.io.categories import read_categories
from geotools.io.geotiff import RasterFile, open_raster
from geotools.maps.inputs import FilePath, check_paths
from geotools.stream import Progress, Step
from geotools.training.config import make_config
from geotools.training.labels.reading import Labels, read_labels

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["MapEvaluation", "evaluate_map"]

_BLOCK = 32
"""Cells on a side of the blocks that are drawn again where labels are no features."""

_TILE = 1024


@dataclass(frozen=True, slots=True)
class MapEvaluation:
    """What `evaluate_map` has found and written."""

    paths: tuple[Path, ...]
    """The report, and the figures where they were asked for."""
    evaluation: Mapping[str, Any]
    """The figures."""
    sentence: str
    """The result in a sentence."""


def evaluate_map(
    raster: FilePath,
    labels: Mapping[str, Any] | FilePath,
    output: FilePath,
    *,
    table: FilePath | None = None,
    metric: str = "accuracy",
    band: int = 1,
    names: Mapping[str, int] | None = None,
    seed: int = 0,
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> MapEvaluation:
    """Compares a class map with labels, and writes what was found as a report.

    Intervals draw whole polygons or points again, or blocks of 32 cells of a label raster.

    Args:
        raster: the class map.
        labels: a vector file or raster of labels, or what `[labels]` of a configuration holds.
        output: the report, `.html`.
        table: the figures, `.json`.
        metric: the one that is told first.
        band: band of the map.
        names: class -> code, where the map does not name its classes itself.
        seed: fixes the intervals.
        overwrite: replace outputs that exist.
        progress: called as the map is read.
        warn: called with a sentence when something deserves caution.

    Raises:
        GeotoolsError: an input or output that cannot be used, or classes that do not match.
    """
    start = time.monotonic()
    outputs = [output, *([table] if table else [])]
    section = dict(labels) if isinstance(labels, Mapping) else {"path": str(labels)}
    for source in (raster, section.get("path"), section.get("mask")):
        if isinstance(source, str | os.PathLike):
            targets = check_paths(source, outputs, overwrite)
    for target, ending in zip(targets, (".html", ".json"), strict=False):
        if target.suffix.lower() != ending:
            raise FileError(f"{target} ends in {target.suffix or 'nothing'}: end it in {ending}.")
    config = make_config(
        {
            "name": Path(raster).stem, "metric": metric, "seed": seed, "labels": section,
            "inputs": [{"name": "map", "path": str(raster), "kind": "classes", "bands": [band]}],
        },
        where="--labels",
    )  # fmt: skip
    warnings: list[str] = []

    def remember(sentence: str) -> None:
        warnings.append(sentence)
        if warn is not None:
            warn(sentence)

    with open_raster(raster, bands=[band]) as file:
        found = read_labels(config, [file.grid], find=Path, warn=remember)
        codes = _codes(found, names or _named(raster, band), str(raster))
        told, mapped_m2 = _read(file, found, codes, progress)
    known = told >= 0
    if not known.any():
        raise LabelsError(
            f"No label lies where {raster} has one of the classes "
            f"{', '.join(info.name for info in found.classes)}: check the map's nodata and names."
        )
    if not known.all():
        remember(
            f"{int((~known).sum()):,} of {len(known):,} labelled cells have no class of the labels "
            "on the map: they are left out."
        )
    cells = found.cells.take(known)
    truth, predicted = cells.target, told[known]
    by_feature = bool((cells.group >= 0).all()) and found.background is None
    unit: NDArray[Any] = cells.group
    if not by_feature:
        unit = (cells.row // _BLOCK).astype(np.int64) * (2**32) + cells.col // _BLOCK
    remember("These figures say how good the map is only if it was not made from these labels.")
    judgement = judge(
        config.score, truth, predicted, unit,
        classes=found.classes, background=found.background, seed=seed,
    )  # fmt: skip
    word = "labelled features" if by_feature else f"blocks of {_BLOCK} cells"
    record = TrainingRecord(
        name=Path(raster).name,
        task="classification",
        metric=config.score,
        learner="map",
        learner_title="map",
        split_kind="labels",
        split_title=f"labels of {Path(str(section['path'])).name}",
        seed=seed,
        score=judgement.score,
        baselines={},
        cells=len(cells),
        units=len(np.unique(unit)),
        unit_word=word,
        classes=found.classes,
        background=found.background,
        confusion=judgement.confusion,
        per_class=judgement.per_class,
        other=judgement.other,
        area=judge_areas(truth, predicted, unit, mapped_m2, seed=seed),
        seconds={"all": time.monotonic() - start},
        warnings=tuple(warnings),
        provenance={"map": Path(raster).name, "labels": Path(str(section["path"])).name},
    )
    write_report(targets[0], record, overwrite=overwrite)
    if table:
        write_evaluation(targets[1], record, overwrite=overwrite)
    return MapEvaluation(tuple(targets), record.to_json(), result(record))


def _named(raster: FilePath, band: int) -> dict[str, int]:
    """Class -> code, as the map says itself."""
    names, _ = read_categories(raster, band)
    return {name: code for code, name in names.items() if name}


def _codes(labels: Labels, names: Mapping[str, int], raster: str) -> list[int]:
    """The map's code of each class of the labels."""
    if not names:
        raise ConfigError(
            f"{raster} does not name its classes: say which code is which, for example "
            "--classes forest=1,water=2."
        )
    found = []
    for info in labels.classes:
        if info.name not in names:
            raise ConfigError(
                f"The labels have the class {info.name!r}, which {raster} has not: its classes are "
                f"{', '.join(names)}; say with labels.classes which labels are which class."
            )
        found.append(names[info.name])
    return found


def _read(
    file: RasterFile, labels: Labels, codes: list[int], progress: Progress | None
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Class index of the map at every labelled cell, -1 for none, and the area of each class."""
    cells = labels.cells
    told = np.full(len(cells), -1, np.int64)
    areas = np.zeros(len(codes))
    rows_m2 = file.grid.cell_area_m2()
    scheme = TileScheme(_TILE)
    total = scheme.count(file.grid)
    for number, tile in enumerate(scheme.tiles(file.grid), 1):
        window = tile.write
        block = file.read(window)
        index = np.full(window.shape, -1, np.int64)
        for place, code in enumerate(codes):
            index[(block.data[0] == code) & block.valid] = place
        here_m2 = rows_m2[window.row_off : window.row_stop]
        for place in range(len(codes)):
            areas[place] += float(((index == place).sum(1) * here_m2).sum())
        row, col = cells.row - window.row_off, cells.col - window.col_off
        here = np.flatnonzero(
            (row >= 0) & (row < window.height) & (col >= 0) & (col < window.width)
        )
        told[here] = index[row[here], col[here]]
        if progress is not None:
            progress(Step("reading the map", number, total))
    return told, areas
