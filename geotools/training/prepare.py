"""prepare: what a configuration names, opened and read: material, classes, split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from geotools.errors import LabelsError
from geotools.features.names import find_band, parse_feature, steps_of
from geotools.raster import Source
from geotools.spec import ClassInfo, SourceInfo
from geotools.stream import Progress, Step
from geotools.training.config import TrainConfig
from geotools.training.inputs.scenes import find_path, open_scenes
from geotools.training.labels.cells import Cells
from geotools.training.labels.copies import copy_words, told_by
from geotools.training.labels.reading import read_labels
from geotools.training.labels.tables import read_table
from geotools.training.learners.settings import AutoSettings
from geotools.training.material import RasterMaterial, TableMaterial, raster_material
from geotools.training.splits.splitting import Split, split_cells

__all__ = ["Prepared", "prepare"]

_SEE_AROUND = ("cnn", "unet")
"""Learners to which cells that are alike differ by what is around them."""
_LISTED = 4
"""Features that a sentence lists."""
_LARGEST = 1e18
"""Values beyond overflow when they are squared in single precision."""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """All that a training starts from."""

    config: TrainConfig
    """What was asked for."""
    material: TableMaterial | RasterMaterial
    """Cells and features."""
    classes: tuple[ClassInfo, ...]
    """The classes, in the order of the targets; empty for regression."""
    background: int | None
    """Index of the class that is the background, if any."""
    split: Split
    """What is learned from and what is tested."""
    blocks: Split | None = None
    """Beside a split at random: one by blocks, which tells what it does to the score. None
    otherwise, or where there is no place."""
    sources: tuple[SourceInfo, ...] = ()
    """The rasters, as the model will ask for them; none for a table."""
    stacks: tuple[Source, ...] = ()
    """Features of every scene; none for a table."""
    scenes: tuple[str, ...] = ()
    """Name of every scene."""
    files: tuple[Path, ...] = ()
    """What was read."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Feature of a table whose codes stand for texts -> the texts of the codes 1, 2, …"""
    crs: Any = None
    """rasterio.crs.CRS of the places of a table; None without places, and for rasters."""


def prepare(
    config: TrainConfig,
    *,
    data: Path | None,
    folder: Path,
    stack: ExitStack,
    progress: Progress | None = None,
    warn: Callable[[str], None],
) -> Prepared:
    """Opens, reads and checks all that the configuration names.

    Args:
        config: what is asked for.
        data: where relative paths begin.
        folder: of the configuration, where they begin without `data`.
        stack: closes the rasters.
        progress: called as features are read.
        warn: called with a sentence when something deserves caution.

    Raises:
        GeotoolsError: a file that cannot be used, or labels that nothing can be learned from.
    """

    def find(text: str) -> Path:
        return find_path(text, data, folder, config.name)

    if config.table is not None:
        return _from_table(config, find, warn)
    scenes = stack.enter_context(open_scenes(config, data, folder, warn=warn))
    labels = read_labels(config, scenes.grids, find=find, warn=warn)
    _check_values(labels.cells, "labels.nodata")

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(Step("reading features", done, total))

    material = raster_material(
        scenes.stacks,
        labels.cells,
        classes=[info.name for info in labels.classes],
        categories=scenes.categories,
        steps=steps_of(scenes.features),
        elevation=_elevation(scenes.features, scenes.infos),
        progress=tell,
    )
    left = len(labels.cells) - len(material.cells)
    if left:
        warn(
            f"{left:,} of {len(labels.cells):,} labelled cells have no valid value in all rasters: "
            "they are left out."
        )
    _check_features(material, config)
    _tell_copies(material, config, warn)
    splitter = partial(
        split_cells,
        material.cells,
        grids=material.grids,
        classes=labels.classes,
        groups=labels.groups,
        scenes=scenes.names,
        apart=labels.apart,
        seed=config.seed,
    )
    split = splitter(config.split, warn=warn)
    return Prepared(
        config=config,
        material=material,
        classes=labels.classes,
        background=labels.background,
        split=split,
        blocks=_blocks(splitter, config, split, material.cells, warn),
        sources=scenes.infos,
        stacks=scenes.stacks,
        scenes=scenes.names,
        files=(*map(Path, scenes.files), *_label_files(config, find)),
    )


def _check_values(cells: Cells, missing: str) -> None:
    """Refuses targets that no learner can work with."""
    if cells.is_classes:
        return
    largest = float(np.abs(cells.target).max(initial=0.0))
    if not largest <= _LARGEST:
        raise LabelsError(
            f"The labels hold the value {largest:.4g}, too large to learn: if it stands for "
            f"missing values, say so with {missing}; otherwise give another unit."
        )


def _check_features(material: TableMaterial, config: TrainConfig) -> None:
    """Refuses features of which none differs from label to label, for learners that see no more."""
    learner = config.learner
    tried = learner.candidates if isinstance(learner, AutoSettings) else (learner.name,)
    if set(tried) & set(_SEE_AROUND):
        return
    rows = material.rows(np.arange(len(material.cells)))  # (cells, features)
    for column in rows.T:
        known = column[np.isfinite(column)]
        if len(known) and known.min() < known.max():
            return
    listed = ", ".join(material.features[:_LISTED])
    more = ", …" if len(material.features) > _LISTED else ""
    raise LabelsError(
        f"Nothing can be learned from {listed}{more}: each has one value at all labels, so give "
        "others beside."
    )


def _tell_copies(material: TableMaterial, config: TrainConfig, warn: Callable[[str], None]) -> None:
    """Warns of features that say the label by themselves."""
    for feature in told_by(material, seed=config.seed):
        warn(copy_words(feature, classes=material.cells.is_classes))


def _blocks(
    splitter: Callable[..., Split],
    config: TrainConfig,
    split: Split,
    cells: Cells,
    warn: Callable[[str], None],
) -> Split | None:
    """The split by blocks beside one at random, where the cells have places."""
    if split.kind != "random" or not np.isfinite(cells.x).all():
        return None
    try:
        return splitter(replace(config.split, kind="blocks"))
    except LabelsError as error:
        warn(f"What a split by blocks would score cannot be told: {error}")
        return None


def _elevation(features: Sequence[str], infos: Sequence[SourceInfo]) -> int | None:
    """Which feature is the bare elevation, if any."""
    for place, name in enumerate(features):
        feature = parse_feature(name)
        if feature.kind == "band" and not feature.date:
            source, _ = find_band(name, infos)
            if infos[source].role == "elevation":
                return place
    return None


def _label_files(config: TrainConfig, find: Callable[[str], Path]) -> list[Path]:
    if config.labels is None:
        return []
    paths = config.labels.path
    named = [paths] if isinstance(paths, str) else list(paths)
    return [find(text) for text in (*named, *([config.labels.mask] if config.labels.mask else []))]


def _from_table(
    config: TrainConfig, find: Callable[[str], Path], warn: Callable[[str], None]
) -> Prepared:
    table = read_table(config, find, warn=warn)
    _check_values(table.cells, "an empty field")
    names = [info.name for info in table.classes]
    material = TableMaterial(
        table.cells, table.rows, classes=names, features=table.features, categories=table.categories
    )
    _check_features(material, config)
    _tell_copies(material, config, warn)
    splitter = partial(
        split_cells, table.cells, crs=table.crs, classes=table.classes, groups=table.groups,
        seed=config.seed,
    )  # fmt: skip
    split = splitter(config.split, warn=warn)
    if config.split.kind == "auto" and split.kind == "random":
        warn(
            "Rows are split at random, so that rows that are alike are learned from and tested: "
            "name table.group, or table.x, table.y and table.crs, if rows of one place are alike."
        )
    return Prepared(
        config=config,
        material=material,
        classes=table.classes,
        background=None,
        split=split,
        blocks=_blocks(splitter, config, split, table.cells, warn),
        files=(find(config.table.path),) if config.table else (),
        words=table.words,
        crs=table.crs,
    )
