"""make: one task, from its files to a record of what became of it; errors end in the record."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from geotools.batch.files import Identity
from geotools.batch.means import Means
from geotools.batch.operations import OPERATIONS, Running
from geotools.batch.plan import Task
from geotools.batch.thumbnail import thumbnail
from geotools.errors import GeotoolsError
from geotools.stream import Step

__all__ = ["make"]

Record = dict[str, Any]


def make(
    task: Task,
    *,
    means: Means,
    overwrite: bool,
    share: Callable[[float], None],
    warn: Callable[[str], None],
) -> Record:
    """The record of a task that was run: `status` done or failed, and what belongs to it.

    Args:
        task: what to make.
        means: threads, memory, what runs its units.
        overwrite: replace outputs that are there.
        share: called with how much of it is done, from 0 to 1.
        warn: called with a sentence when the result deserves caution.
    """
    start = time.monotonic()
    warnings: list[str] = []

    def remember(sentence: str) -> None:
        warnings.append(sentence)
        warn(sentence)

    record: Record = {"name": task.target.name, "digest": task.digest, "label": task.label}
    try:
        if task.problem:
            record |= {"status": "failed", "error": task.problem}
        else:
            before = [Identity.state(path) for path in task.paths]
            running = Running(
                means.effort, means.units_of(task.target), overwrite, _first_stage(share), remember
            )
            made = OPERATIONS[task.operation].run(task.options, task.paths, task.target, running)
            picture, ratio = thumbnail(task.target, made.classes, logarithmic=made.logarithmic)
            inputs = [Identity.of(path) for path in task.paths]
            changed = [Identity.state(path) for path in task.paths] != before
            record |= {
                "status": "done",
                "result": made.result,
                "classes": [[info.code, info.name, info.color] for info in made.classes],
                "area_m2": dict(made.area_m2),
                # Of a file that was written to meanwhile nobody knows what was read.
                "inputs": [] if changed else [asdict(one) for one in inputs],
                "outputs": [asdict(Identity.of(path)) for path in task.outputs],
                "thumbnail": picture,
                "ratio": round(ratio, 4),
            }
    except GeotoolsError as error:
        record |= {"status": "failed", "error": str(error)}
    except Exception as error:  # one input must not take the others with it
        record |= {
            "status": "failed",
            "error": f"{task.label} met an error that nobody expected ({type(error).__name__}: "
            f"{error}): this is a bug, please report it with the trace in batch.json.",
            "trace": traceback.format_exc(),
        }
    return record | {"warnings": warnings, "seconds": round(time.monotonic() - start, 3)}


def _first_stage(share: Callable[[float], None]) -> Callable[[Step], None]:
    """Progress of the first stage, which takes nearly all of the time."""
    first: list[str] = []

    def step(step: Step) -> None:
        first[:] = first or [step.stage]
        if step.stage == first[0] and step.total:
            share(step.done / step.total)

    return step
