"""BatchJob: what is done to which inputs, and what the outputs are called; one TOML or the same
as a dictionary.

Paths stay as written until they are looked for. The options of operations are in `options`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from geotools.batch.names import check_template
from geotools.batch.options import (
    ForecastOptions,
    LandformOptions,
    PredictOptions,
    TerrainOptions,
)
from geotools.errors import ConfigError
from geotools.schema import build, one_of, read_toml

__all__ = ["OPTIONS", "BatchJob", "Inputs", "Override", "make_job", "read_job"]

OPTIONS: Mapping[str, type[Any]] = {
    "predict": PredictOptions,
    "landforms": LandformOptions,
    "terrain": TerrainOptions,
    "forecast": ForecastOptions,
}
"""Operation and its options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """One `[[inputs]]`: paths and globs, a STAC file, or a CSV list."""

    paths: str | tuple[str | tuple[str, ...], ...] | None = None
    """Paths and globs (`dem/*.tif`, `**/*.tif`), one input each; a list inside the list is one
    input of several rasters."""
    stac: str | None = None
    """An item or an item collection, instead of `paths`; its assets are local files."""
    asset: str | tuple[str, ...] | None = None
    """Key of the asset; several keys are the rasters of one input."""
    role: str | None = None
    """Role of the asset, when no key is given; `data` when left out."""
    csv: str | None = None
    """A CSV with a header and a row for each input, instead of `paths`."""
    column: str | tuple[str, ...] | None = None
    """Column of the path; several are the rasters of one input; `path` when left out."""
    options: tuple[str, ...] = ()
    """Columns that are options of the operation, by the same names; empty cells leave them out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One `[[overrides]]`: other options for some inputs."""

    match: str | tuple[str, ...]
    """Globs of the file's name (of the first raster's), or of the input's name."""
    options: Mapping[str, Any]
    """What differs from the options of all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchJob:
    """One job: an operation over inputs."""

    operation: str = field(metadata=one_of(*OPTIONS))
    """What is done."""
    output: str
    """Folder of all that is made; made when it is not there."""
    inputs: tuple[Inputs, ...]
    """What it is done to; a path, a glob, or a list of them stands for one `[[inputs]]`."""
    name: str = "{name}_{operation}"
    """Name of each output: text with `{stem}`, `{name}`, `{index}`, `{operation}`, of STAC items
    `{id}`, `{date}`, `{collection}`, of CSV lists the columns."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """Options of the operation."""
    overrides: tuple[Override, ...] = ()
    """Other options for some inputs; the last that matches has the last word."""
    mosaic: str | None = field(default=None, metadata=one_of("first", "last"))
    """Put the results together; where they overlap, the first or the last input is shown."""


def read_job(path: str | os.PathLike[str]) -> BatchJob:
    """The job in a TOML file.

    Raises:
        FileError: no such file, or it cannot be read.
        ConfigError: not TOML; an unknown key, a missing one, or a value that cannot be.
    """
    return make_job(read_toml(path), where=os.path.basename(os.fspath(path)))


def make_job(values: Mapping[str, Any], *, where: str = "The job") -> BatchJob:
    """The job of plain values, as TOML gives them.

    Raises:
        ConfigError: an unknown key, a missing one, or a value that cannot be.
    """
    values = dict(values)
    if "inputs" in values:
        values["inputs"] = _inputs(values["inputs"], where)
    if "overrides" in values:
        listed = values["overrides"]
        if not isinstance(listed, (list, tuple)):
            raise ConfigError(f"{where}: overrides is no list: write [[overrides]] before each.")
        values["overrides"] = tuple(
            _override(one, f"{where}, [[overrides]] {number}")
            for number, one in enumerate(listed, 1)
        )
    job = build(BatchJob, values, where)
    if not job.inputs:
        raise ConfigError(f"{where} has no [[inputs]]: name paths, a STAC file or a CSV list.")
    if not job.output.strip() or "\0" in job.output:
        raise ConfigError(f"{where}: output is {job.output!r}: name a folder.")
    check_template(job.name, f"{where}: name")
    kind = OPTIONS[job.operation]
    build(kind, job.options, f"{where}, [options]")
    for number, one in enumerate(job.overrides, 1):
        place = f"{where}, [[overrides]] {number}"
        build(kind, {**job.options, **one.options}, place)
    return job


def _inputs(listed: Any, where: str) -> tuple[Inputs, ...]:
    if isinstance(listed, (str, os.PathLike)):
        listed = [listed]
    if isinstance(listed, (list, tuple)) and any(
        isinstance(one, (str, os.PathLike, list, tuple)) for one in listed
    ):
        listed = [{"paths": [_text(one) for one in listed]}]
    if not isinstance(listed, (list, tuple)):
        raise ConfigError(f"{where}: inputs is no list: write [[inputs]] before each.")
    made = []
    for number, one in enumerate(listed, 1):
        place = f"{where}, [[inputs]] {number}"
        inputs = one if isinstance(one, Inputs) else build(Inputs, one, place)
        if sum(way is not None for way in (inputs.paths, inputs.stac, inputs.csv)) != 1:
            raise ConfigError(f"{place}: give one of paths, stac and csv.")
        for key, of in (("asset", "stac"), ("role", "stac"), ("column", "csv"), ("options", "csv")):
            if getattr(inputs, key) and getattr(inputs, of) is None:
                raise ConfigError(f"{place}: {key} belongs to {of}: leave it out.")
        if inputs.asset is not None and inputs.role is not None:
            raise ConfigError(f"{place}: give one of asset and role.")
        made.append(inputs)
    return tuple(made)


def _text(one: Any) -> Any:
    """Paths of Python as TOML writes them."""
    if isinstance(one, (list, tuple)):
        return [_text(part) for part in one]
    return os.fspath(one) if isinstance(one, os.PathLike) else one


def _override(values: Any, where: str) -> Override:
    if isinstance(values, Override):
        return values
    if not isinstance(values, Mapping) or "match" not in values:
        raise ConfigError(f"{where} lacks the key 'match': give a glob of file names.")
    options = {key: value for key, value in values.items() if key != "match"}
    if not options:
        raise ConfigError(f"{where} changes nothing: give options beside match.")
    return build(Override, {"match": values["match"], "options": options}, where)
