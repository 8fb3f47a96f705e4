"""What a command says while it works and at its end: for people, for logs, for programs.

`json` prints one object a line (`schema`, `event`: progress, info, warning, error, result) on a
duplicate of stdout, while file descriptor 1 points to stderr, so that nothing else gets between.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Protocol, TextIO

if TYPE_CHECKING:
    from geotools.stream import Step

__all__ = ["SCHEMA", "Report", "reporting", "show_error"]

SCHEMA = 1
"""Number of the form of all that is said to programs; another number is another form."""

_active: list[Report] = []
"""The report of the command that is running, for an error that ends it."""


class Report(Protocol):
    """One way of telling."""

    def step(self, step: Step) -> None:
        """Some work has been done."""

    def info(self, sentence: str) -> None:
        """Something that is good to know."""

    def warning(self, sentence: str) -> None:
        """The result deserves caution."""

    def error(self, sentence: str) -> None:
        """The command failed."""

    def result(self, sentence: str, data: Mapping[str, Any]) -> None:
        """The command is done."""

    def close(self) -> None:
        """Nothing more will come."""


@contextmanager
def reporting(kind: str) -> Iterator[Report]:
    """The report of that kind (auto, plain, json, none) while a command runs."""
    report: Report
    if kind == "json":
        report = _Json()
    elif kind == "none":
        report = _Plain(steps=False)
    elif kind == "plain" or not sys.stderr.isatty():
        report = _Plain(steps=True)
    else:
        report = _Bar()
    _active.append(report)
    try:
        yield report
    finally:
        report.close()
    _active.clear()


def show_error(sentence: str) -> None:
    """Tells of an error the way the running command tells of everything."""
    if _active:
        _active.pop().error(sentence)
    else:
        print(f"Error: {sentence}", file=sys.stderr)


class _Plain:
    """Lines of text: progress at every tenth, on stderr; results on stdout."""

    def __init__(self, *, steps: bool) -> None:
        self._steps = steps
        self._next: dict[str, float] = {}
        self._start: dict[str, float] = {}
        self._last = time.monotonic()

    def step(self, step: Step) -> None:
        if not self._steps or not step.total:
            return
        # A stage that first tells of a whole part done began when the one before it ended.
        now, before = time.monotonic(), self._last
        self._last = now
        start = self._start.setdefault(step.stage, before if step.done else now)
        share = step.done / step.total
        if share >= self._next.get(step.stage, 0.1):
            self._next[step.stage] = share + 0.1
            left = (now - start) / share * (1 - share)
            print(f"{step.stage}: {share:.0%}, {left:.0f} s left", file=sys.stderr, flush=True)

    def info(self, sentence: str) -> None:
        if self._steps:
            print(sentence, file=sys.stderr, flush=True)

    def warning(self, sentence: str) -> None:
        print(f"Warning: {sentence}", file=sys.stderr)

    def error(self, sentence: str) -> None:
        print(f"Error: {sentence}", file=sys.stderr)

    def result(self, sentence: str, data: Mapping[str, Any]) -> None:
        print(sentence)

    def close(self) -> None:
        """Nothing to do."""


class _Bar(_Plain):
    """A bar with rate and time left, on a terminal."""

    def __init__(self) -> None:
        super().__init__(steps=False)
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            TextColumn,
            TimeElapsedColumn,
            TimeRemainingColumn,
        )
        from rich.progress import Progress as RichProgress

        self._bar = RichProgress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TimeRemainingColumn(),
            console=Console(stderr=True),
        )
        self._tasks: dict[str, Any] = {}
        self._bar.start()

    def step(self, step: Step) -> None:
        if step.stage not in self._tasks:
            self._tasks[step.stage] = self._bar.add_task(step.stage, total=step.total)
        self._bar.update(self._tasks[step.stage], completed=step.done, total=step.total)

    def info(self, sentence: str) -> None:
        self._bar.console.print(sentence)

    def close(self) -> None:
        self._bar.stop()

    def result(self, sentence: str, data: Mapping[str, Any]) -> None:
        self._bar.stop()
        print(sentence)


class _Json:
    """One JSON object a line."""

    def __init__(self) -> None:
        self._stream: TextIO = os.fdopen(os.dup(1), "w", encoding="utf-8")
        sys.stdout.flush()
        os.dup2(2, 1)

    def _print(self, event: str, **values: Any) -> None:
        line = {"schema": SCHEMA, "event": event, **values}
        print(json.dumps(line, ensure_ascii=False), file=self._stream, flush=True)

    def step(self, step: Step) -> None:
        figures = {"figures": dict(step.figures)} if step.figures else {}
        self._print("progress", stage=step.stage, done=step.done, total=step.total, **figures)

    def info(self, sentence: str) -> None:
        self._print("info", message=sentence)

    def warning(self, sentence: str) -> None:
        self._print("warning", message=sentence)

    def error(self, sentence: str) -> None:
        self._print("error", message=sentence)

    def result(self, sentence: str, data: Mapping[str, Any]) -> None:
        self._print("result", message=sentence, **data)

    def close(self) -> None:
        """The stream stays open for an error that may still be told."""
