"""Entry and BatchReport: what became of every input, as values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from geotools.batch.plan import Task

__all__ = ["BatchReport", "Entry", "entry_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One input and what became of it."""

    input: str
    """What the input is called."""
    files: tuple[str, ...]
    """Its files."""
    outputs: tuple[str, ...]
    """Names of what was, or would be, made of it, in the folder of the outputs."""
    status: str
    """`done`; `kept`, done by an earlier run; `failed`; `not done`, when the run was stopped."""
    seconds: float = 0.0
    """Wall time."""
    error: str = ""
    """Why it failed."""
    result: str = ""
    """What was made, in a few words."""
    area_m2: Mapping[str, float] = field(default_factory=dict)
    """Area by class name."""
    colors: Mapping[str, str] = field(default_factory=dict)
    """`#rrggbb` by class name."""
    warnings: tuple[str, ...] = ()
    """Why the result deserves caution."""
    trace: str = ""
    """Where a bug was met."""
    thumbnail: str = ""
    """A picture, as a data URI."""
    ratio: float = 1.0
    """How much wider than high the picture is on the ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchReport:
    """What a batch has done."""

    folder: Path
    """Where everything is."""
    operation: str
    """What was done."""
    entries: tuple[Entry, ...]
    """Every input, in order."""
    seconds: float
    """Wall time of this run."""
    cancelled: bool = False
    """It was stopped before its end."""
    mosaic: tuple[str, ...] = ()
    """Names of the mosaic's files."""
    notes: tuple[str, ...] = ()
    """What is to be known of the whole, such as why there is no mosaic."""

    def count(self, status: str) -> int:
        """Inputs of that status."""
        return sum(one.status == status for one in self.entries)

    @property
    def exit_code(self) -> int:
        """0 all is done, 1 nothing is, 3 some is."""
        missing = self.count("failed") + self.count("not done")
        return 0 if not missing else 1 if missing == len(self.entries) else 3

    @property
    def sentence(self) -> str:
        """What happened, in one sentence."""
        counts = [
            f"{self.count(status)} {word}"
            for status, word in (
                ("done", "done"),
                ("kept", "done before"),
                ("failed", "failed"),
                ("not done", "not done"),
            )
            if self.count(status)
        ]
        return (
            f"{self.folder}: {self.operation} of {len(self.entries)} inputs, {', '.join(counts)}, "
            f"{self.seconds:.1f} s"
        )

    @property
    def lines(self) -> list[str]:
        """What there is to do, a line for each input."""
        words = {"kept": "keep", "not done": "make", "failed": "fail", "done": "made"}
        return [
            f"{words[one.status]}  {', '.join(one.outputs)}  from  {one.input}"
            + (f"  ({one.error})" if one.error else "")
            for one in self.entries
        ]

    def as_values(self) -> dict[str, Any]:
        """The report as plain values, for programs; without pictures."""
        entries = []
        for one in self.entries:
            values = asdict(one)
            for name in ("thumbnail", "ratio", "colors", *(() if one.trace else ("trace",))):
                del values[name]
            entries.append(values)
        return {
            "folder": str(self.folder),
            "operation": self.operation,
            "seconds": round(self.seconds, 3),
            "cancelled": self.cancelled,
            "counts": {
                status: self.count(status) for status in ("done", "kept", "failed", "not done")
            },
            "mosaic": list(self.mosaic),
            "notes": list(self.notes),
            "inputs": entries,
        }


def entry_of(task: Task, status: str, record: Mapping[str, Any]) -> Entry:
    """The entry of a task, from what is written of it."""
    classes = record.get("classes", [])
    return Entry(
        input=task.label,
        files=tuple(str(path) for path in task.paths),
        outputs=tuple(path.name for path in task.outputs),
        status=status,
        seconds=float(record.get("seconds", 0.0)),
        error=str(record.get("error", "")),
        result=str(record.get("result", "")),
        area_m2={str(name): float(area) for name, area in record.get("area_m2", {}).items()},
        colors={str(name): str(color) for _, name, color in classes},
        warnings=tuple(map(str, record.get("warnings", ()))),
        trace=str(record.get("trace", "")),
        thumbnail=str(record.get("thumbnail", "")),
        ratio=float(record.get("ratio", 1.0)),
    )
