"""find_inputs: what a job is run on, from paths, globs, STAC files and CSV lists."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from geotools.batch.config import BatchJob, Inputs
from geotools.batch.lists import read_rows
from geotools.batch.names import stem_of
from geotools.batch.stac import choose_assets, read_items
from geotools.errors import ConfigError, FileError

__all__ = ["Input", "find_inputs"]

_BESIDE = (".aux.xml", ".qml", ".ovr", ".msk", ".prj", ".tfw", ".wld", ".sld", ".json", ".md")
"""Endings of what lies beside rasters, which globs leave out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input: one map will be made of it."""

    label: str
    """What it is called in messages and reports: its path as it was written."""
    paths: tuple[Path, ...]
    """Its files; none when `problem` says why."""
    fields: Mapping[str, str]
    """Fields of the name template, beside the number."""
    cells: Mapping[str, str] = field(default_factory=dict)
    """Options as text, from a CSV list."""
    problem: str = ""
    """Why it cannot be run."""


def find_inputs(job: BatchJob, base: Path, output: Path) -> list[Input]:
    """The inputs of a job, in the order of its sections.

    Args:
        job: the job.
        base: where relative paths begin.
        output: the folder of the outputs, whose files globs leave out.

    Raises:
        FileError: a STAC file or a list that cannot be read.
        ConfigError: nothing is found.
    """
    found = [
        one for section in job.inputs for one in _section(section, base, output, job.operation)
    ]
    if not found:
        raise ConfigError(
            f"No input is found in {base.absolute()}: check the paths of [[inputs]] (what lies in "
            f"the output folder {output} is left out)."
        )
    return found


def _section(section: Inputs, base: Path, output: Path, operation: str) -> Iterator[Input]:
    if section.paths is not None:
        yield from _of_paths(section.paths, base, output, operation)
    elif section.stac is not None:
        yield from _of_stac(section, base / section.stac, operation)
    else:
        yield from _of_list(section, base / (section.csv or ""), operation)


def _of_paths(
    listed: str | Sequence[str | tuple[str, ...]], base: Path, output: Path, operation: str
) -> Iterator[Input]:
    seen = set()
    for entry in [listed] if isinstance(listed, str) else listed:
        for group in _matching(entry, base, output) if isinstance(entry, str) else [entry]:
            if group not in seen:
                seen.add(group)
                paths = tuple(_at(base, path) for path in group)
                stem = stem_of(group[0])
                fields = {"stem": stem, "name": stem, "operation": operation}
                yield Input(label=", ".join(group), paths=paths, fields=fields)


def _matching(entry: str, base: Path, output: Path) -> list[tuple[str, ...]]:
    """A path as it is, or the files that a glob finds, as paths relative to `base`."""
    if not glob.has_magic(entry) or _at(base, entry).exists():
        return [(entry,)]
    made = output.absolute()
    return [
        (name,)
        for name in sorted(glob.glob(entry, root_dir=base, recursive=True))
        if (base / name).is_file()
        and not name.lower().endswith(_BESIDE)
        and made not in (base / name).absolute().parents
    ]


def _of_stac(section: Inputs, file: Path, operation: str) -> Iterator[Input]:
    keys = _listed(section.asset)
    for item in read_items(file):
        try:
            paths, problem = choose_assets(item, keys, section.role or "data", file), ""
        except FileError as error:
            paths, problem = (), str(error)
        yield Input(
            label=item.id if problem else f"{item.id} ({', '.join(path.name for path in paths)})",
            paths=paths,
            fields={
                "stem": stem_of(str(paths[0])) if paths else item.id,
                "name": item.id,
                "operation": operation,
                "id": item.id,
                "date": item.date,
                "collection": item.collection,
            },
            problem=problem,
        )


def _of_list(section: Inputs, file: Path, operation: str) -> Iterator[Input]:
    columns = _listed(section.column) or ("path",)
    for number, row in enumerate(read_rows(file, [*columns, *section.options]), 1):
        given = [row[column] for column in columns]
        problem = ""
        if not all(given):
            lacking = columns[given.index("")]
            problem = f"{file.name}: row {number} has no {lacking}: name a file."
        stem = stem_of(next(filter(None, given), f"row {number}"))
        yield Input(
            label=", ".join(filter(None, given)) or f"{file.name}, row {number}",
            # Paths of a list begin where the list is.
            paths=() if problem else tuple(_at(file.parent, path) for path in given),
            fields={"name": stem, **row, "stem": stem, "operation": operation},
            cells={name: row[name] for name in section.options if row[name]},
            problem=problem,
        )


def _listed(keys: str | tuple[str, ...] | None) -> tuple[str, ...]:
    return (keys,) if isinstance(keys, str) else tuple(keys or ())


def _at(base: Path, path: str) -> Path:
    """The file; paths into archives are taken as they are."""
    return Path(path) if path.startswith("/vsi") else base / path
