"""TrainConfig: what to learn from what, as one small TOML or the same as keyword arguments.

Its sections are in `sections`, the settings of learners in
`learners.settings`. Paths stay as written until the files are opened.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from dataclasses import field as option
from pathlib import Path
from typing import Any

from geotools.errors import ConfigError
from geotools.schema import build, one_of, read_toml, within
from geotools.training.learners.settings import LEARNERS, AutoSettings, Settings
from geotools.training.sections import (
    AugmentConfig,
    GridConfig,
    InputConfig,
    LabelsConfig,
    SplitConfig,
    TableConfig,
)

__all__ = ["CLASS_METRICS", "VALUE_METRICS", "TrainConfig", "make_config", "read_config"]

CLASS_METRICS = ("accuracy", "balanced_accuracy", "macro_f1", "iou", "kappa")
VALUE_METRICS = ("r2", "rmse", "mae")

_LONGEST = 80
"""Letters of a name at most: it becomes part of file names in other programs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig:
    """One training: what is learned, from what, how, and how it is judged."""

    name: str
    """Name of the model; also of a folder below the data folder where paths are looked for."""
    task: str = option(default="classification", metadata=one_of("classification", "regression"))
    """Classes or values."""
    metric: str | None = option(default=None, metadata=one_of(*CLASS_METRICS, *VALUE_METRICS))
    """Score that decides and is reported first; macro_f1, or r2 for regression, when left out."""
    features: tuple[str, ...] | None = None
    """What is learned from, by name: `dem`, `s2.red`, `terrain.slope`, `imagery.ndvi`,
    `terrain.dev@300m`; all bands of all inputs when left out."""
    inputs: tuple[InputConfig, ...] = ()
    """The rasters."""
    grid: GridConfig = option(default_factory=GridConfig)
    """The cells."""
    labels: LabelsConfig | None = None
    """The labels."""
    table: TableConfig | None = None
    """Rows instead of rasters."""
    split: SplitConfig = option(default_factory=SplitConfig)
    """Training, validation and test."""
    learner: Settings = option(default_factory=lambda: LEARNERS["auto"]())
    """How it is learned."""
    augment: AugmentConfig = option(default_factory=AugmentConfig)
    """Variation of training tiles, for the learners that see surroundings."""
    seed: int = option(default=0, metadata=within(0, 2**31 - 1))
    """Fixes everything that is drawn."""
    description: str = ""
    """One sentence for the card."""
    licence: str = ""
    """Licence of the model, as an SPDX identifier."""
    attribution: str = ""
    """Whose data it is learned from, and under what licence."""
    links: tuple[str, ...] = ()
    """Where the data can be had, as addresses that begin with https:// or http://; the
    `derived_from` links of the STAC Item."""

    @property
    def score(self) -> str:
        """The metric that decides."""
        return self.metric or ("macro_f1" if self.task == "classification" else "r2")

    def digest(self) -> str:
        """SHA-256 of everything that shapes the result."""
        text = json.dumps(asdict(self), sort_keys=True, default=str)
        return hashlib.sha256(text.encode()).hexdigest()


def read_config(path: str | os.PathLike[str]) -> TrainConfig:
    """The configuration in a TOML file.

    Raises:
        FileError: no such file, or it cannot be read.
        ConfigError: not TOML; an unknown key, a missing one, or a value that cannot be.
    """
    file = Path(path)
    values = read_toml(file)
    values.setdefault("name", file.stem)
    return make_config(values, where=file.name)


def make_config(values: Mapping[str, Any], *, where: str = "The configuration") -> TrainConfig:
    """The configuration of plain values, as TOML gives them.

    Raises:
        ConfigError: an unknown key, a missing one, or a value that cannot be.
    """
    values = dict(values)
    sections = {
        "grid": GridConfig, "labels": LabelsConfig, "table": TableConfig, "split": SplitConfig,
        "augment": AugmentConfig,
    }  # fmt: skip
    for name, kind in sections.items():
        if name in values:
            values[name] = _section(kind, values[name], f"{where}, [{name}]")
    if "inputs" in values:
        listed = values["inputs"]
        if not isinstance(listed, (list, tuple)):
            raise ConfigError(f"{where}: inputs is no list: write [[inputs]] before each.")
        values["inputs"] = tuple(
            _section(InputConfig, one, f"{where}, [[inputs]] {number}")
            for number, one in enumerate(listed, 1)
        )
    if "learner" in values:
        values["learner"] = _learner(values["learner"], f"{where}, [learner]")
    config = build(TrainConfig, values, where)
    _check(config, where)
    return config


def _section(kind: type[Any], values: Any, where: str) -> Any:
    return values if isinstance(values, kind) else build(kind, values, where)


def _learner(values: Any, where: str) -> Settings:
    if isinstance(values, Settings):
        return values
    if isinstance(values, str):
        values = {"name": values}
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where}: give a table with the key name.")
    values = dict(values)
    name = values.pop("name", "auto")
    if name not in LEARNERS:
        raise ConfigError(f"{where}: name is {name!r}: allowed are {', '.join(LEARNERS)}.")
    return build(LEARNERS[name], values, where)


def _check(config: TrainConfig, where: str) -> None:
    """What no single key can tell."""
    name = config.name
    if not name.strip() or len(name) > _LONGEST or not name.isprintable() or set(name) & set("/\\"):
        raise ConfigError(
            f"{where}: name is {name[:_LONGEST]!r}: give 1 to {_LONGEST} letters, without slashes."
        )
    for link in config.links:
        if not re.fullmatch(r"https?://[^\s/]+\S*", link):
            raise ConfigError(
                f"{where}: links has {link[:_LONGEST]!r}: give addresses that begin with https:// "
                "or http://."
            )
    if (config.table is None) == (config.labels is None):
        raise ConfigError(f"{where}: give either [labels] with [[inputs]], or [table].")
    if config.labels is not None and not config.inputs:
        raise ConfigError(f"{where} has [labels] but no [[inputs]]: name the rasters.")
    if config.table is not None and (config.inputs or config.features):
        raise ConfigError(f"{where} has [table] and rasters: leave inputs and features out.")
    allowed = CLASS_METRICS if config.task == "classification" else VALUE_METRICS
    if config.metric is not None and config.metric not in allowed:
        raise ConfigError(
            f"{where}: metric is {config.metric!r}: for {config.task}, allowed are "
            f"{', '.join(allowed)}."
        )
    if config.task not in config.learner.tasks:
        raise ConfigError(
            f"{where}, [learner]: {config.learner.name} is not for {config.task}: allowed are "
            f"{', '.join(name for name, kind in LEARNERS.items() if config.task in kind.tasks)}."
        )
    if isinstance(config.learner, AutoSettings):
        _check_auto(config.learner, f"{where}, [learner]")
    _check_inputs(config, where)
    _check_labels(config, f"{where}, [labels]")
    if config.split.kind == "list" and not (config.split.train and config.split.test):
        raise ConfigError(f'{where}, [split]: kind is "list": give train and test.')


def _check_auto(auto: AutoSettings, where: str) -> None:
    """The learners that are tried: some, and each once."""
    for key, given in (("candidates", auto.candidates), ("strengths", auto.strengths)):
        if not given:
            raise ConfigError(f"{where}: {key} is empty: give some, or leave it out.")
        if len(set(given)) < len(given):
            raise ConfigError(f"{where}: {key} has something twice: give each once.")


def _check_inputs(config: TrainConfig, where: str) -> None:
    """The rasters: one name and one way to find each."""
    names = [one.name for one in config.inputs]
    for number, one in enumerate(config.inputs, 1):
        place = f"{where}, [[inputs]] {number}"
        if not one.name.replace("_", "").isalnum() or one.name in ("terrain", "imagery"):
            raise ConfigError(
                f"{place}: name is {one.name!r}: give letters, digits and _, not terrain or "
                "imagery."
            )
        if names.count(one.name) > 1:
            raise ConfigError(f"{place}: the name {one.name!r} is given twice: give two names.")
        if sum(way is not None for way in (one.path, one.mosaic, one.dates)) != 1:
            raise ConfigError(f"{place}: give one of path, mosaic and dates.")


def _check_labels(config: TrainConfig, where: str) -> None:
    """The labels: of classes or of values."""
    labels = config.labels
    if labels is None:
        return
    if config.task == "regression":
        for key in ("classes", "class_name", "background", "colors"):
            if getattr(labels, key) is not None:
                raise ConfigError(
                    f"{where}: {key} is of classes, and the task is regression: leave it out, or "
                    'set task = "classification".'
                )
    if labels.class_name is not None and labels.class_name == labels.background:
        raise ConfigError(
            f"{where}: class_name and background are both {labels.background!r}: give two names."
        )
    if labels.class_name is not None and labels.background is None:
        raise ConfigError(
            f"{where}: class_name {labels.class_name!r} is the only class: give background, the "
            "name of what is outside."
        )
