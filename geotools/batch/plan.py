"""plan: one Task for each input, with its options and its files, before anything is run."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, get_args, get_type_hints

from geotools.batch.config import OPTIONS, BatchJob
from geotools.batch.files import Identity
from geotools.batch.inputs import Input
from geotools.batch.names import filled
from geotools.batch.operations import OPERATIONS
from geotools.errors import ConfigError, FileError, GeotoolsError
from geotools.schema import build
from geotools.version import VERSION

__all__ = ["RESERVED", "Task", "plan"]

RESERVED = ("batch.csv", "batch.html", "batch.json", "batch.jsonl", "mosaic.tif", "mosaic.vrt")
"""Names in the output folder that are not for single maps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One input and what is to be made of it."""

    label: str
    """What the input is called."""
    paths: tuple[Path, ...]
    """Its files."""
    operation: str
    """Name of the operation."""
    options: Any
    """Its options, of the operation's dataclass."""
    target: Path
    """The GeoTIFF."""
    outputs: tuple[Path, ...]
    """All files that are made, the GeoTIFF first; without the styles beside them."""
    digest: str
    """SHA-256 of all that shapes the result but the input: options, model, version of geotools."""
    problem: str = ""
    """Why it cannot be run."""


def plan(job: BatchJob, inputs: Sequence[Input], base: Path, folder: Path) -> list[Task]:
    """The tasks of a job, in the order of the inputs.

    Args:
        job: the job.
        inputs: as `find_inputs` gives them.
        base: where paths of models begin.
        folder: where the outputs go.

    Raises:
        ConfigError: two inputs would have one output, or an output the name of an input.
        FileError, ModelError: the model of all is not there.
    """
    planner = _Planner(job, base)
    planner.settled({})  # what is wrong with the options of all is nobody's own problem
    tasks = [planner.task(one, number, len(inputs), folder) for number, one in enumerate(inputs, 1)]
    _check_apart(tasks, folder)
    return tasks


class _Planner:
    """What all tasks of a job share."""

    def __init__(self, job: BatchJob, base: Path) -> None:
        self.job, self.base = job, base
        self.kind = OPTIONS[job.operation]
        self.operation = OPERATIONS[job.operation]
        self._models: dict[str, str] = {}

    def task(self, one: Input, number: int, total: int, folder: Path) -> Task:
        """The task of one input."""
        fields: dict[str, str | int] = {**one.fields, "index": number}
        target = folder / f"{filled(self.job.name, fields, one.label)}.tif"
        problem, differing = one.problem, self._differing(one)
        if not problem and len(one.paths) > 1 and not self.operation.several:
            problem = (
                f"{one.label}: {self.job.operation} takes one file of an input, {len(one.paths)} "
                "are given: name one."
            )
        try:
            differing |= {
                name: _value(text, get_type_hints(self.kind).get(name, str))
                for name, text in one.cells.items()
            }
            options, digest = self.settled(differing)
        except GeotoolsError as error:
            problem = problem or f"{one.label}: {error}"
            options, digest = self.settled({})
        return Task(
            label=one.label,
            paths=one.paths,
            operation=self.job.operation,
            options=options,
            target=target,
            outputs=(target, *self.operation.beside(options, target)),
            digest=digest,
            problem=problem,
        )

    def _differing(self, one: Input) -> dict[str, Any]:
        """What the overrides say of an input."""
        names = {one.fields["name"], one.fields["stem"], *(path.name for path in one.paths[:1])}
        differing: dict[str, Any] = {}
        for override in self.job.overrides:
            patterns = override.match
            for pattern in (patterns,) if isinstance(patterns, str) else patterns:
                if any(fnmatch.fnmatchcase(name, pattern) for name in names):
                    differing |= override.options
        return differing

    def settled(self, differing: Mapping[str, Any]) -> tuple[Any, str]:
        """The options with these differences, and the digest of all that shapes the result.

        Raises:
            ConfigError: options that cannot be.
            FileError, ModelError: there is no such model.
        """
        options = build(self.kind, {**self.job.options, **differing}, "options")
        try:
            self.operation.check(options)
        except ConfigError as error:
            raise ConfigError(f"options: {error}") from None
        said = asdict(options)
        if said.get("model") not in (None, "generic"):
            path = self._path_of(said["model"])
            options = replace(options, model=path)
            said["model"] = self._sum_of(path)
        elif "model" in said and self.job.operation == "landforms":
            said["model"] = self._sum_of("landforms-v1")
        if others := said.get("others"):
            paths = tuple(self._path_of(model) for model in others)
            options = replace(options, others=paths)
            said["others"] = [self._sum_of(path) for path in paths]
        if said.get("mask") is not None:
            mask = self.base / said["mask"]
            options = replace(options, mask=str(mask))
            try:
                said["mask"] = Identity.of(mask).sha256
            except OSError as error:
                raise FileError(f"The mask {mask} cannot be read: {error.strerror}.") from None
        text = json.dumps([self.job.operation, said, VERSION], sort_keys=True, default=str)
        return options, hashlib.sha256(text.encode()).hexdigest()

    def _path_of(self, model: str) -> str:
        """The path of a model, of one that comes with geotools too."""
        from geotools.inference.model import shipped_models

        near = self.base / model
        return str(near if near.exists() else shipped_models().get(model, near))

    def _sum_of(self, model: str) -> str:
        from geotools.inference.opening import read_identity

        if model not in self._models:
            self._models[model] = read_identity(model)[0]
        return self._models[model]


def _value(text: str, hint: Any) -> Any:
    """The text of a cell as the option takes it."""
    kinds = get_args(hint) or (hint,)
    if str in kinds:
        return text
    if bool in kinds and text.lower() in ("true", "false", "yes", "no", "1", "0"):
        return text.lower() in ("true", "yes", "1")
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _check_apart(tasks: Sequence[Task], folder: Path) -> None:
    """Nothing, when every file of the outputs is one output's alone and no input's.

    Raises:
        ConfigError: it is not.
        FileError: an input lies in the folder of the outputs.
    """
    owners: dict[str, Task] = {}
    for task in tasks:
        for output in task.outputs:
            name = output.name.casefold()  # some systems do not tell case apart
            if name in RESERVED:
                raise ConfigError(
                    f"The output of {task.label} would be {output.name}, which is the report's or "
                    "the mosaic's: change name."
                )
            other = owners.setdefault(name, task)
            if other is not task:
                raise ConfigError(
                    f"{other.label} and {task.label} would both become {output.name}: change name, "
                    'for example to "{index:03}_{name}".'
                )
    made = folder.absolute()
    for task in tasks:
        for path in task.paths:
            if path.absolute().parent.resolve() == made.resolve():
                raise FileError(
                    f"The input {task.label} lies in the folder of the outputs, {folder}: name "
                    "another output."
                )
