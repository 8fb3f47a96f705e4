"""The files of an evaluation: the report, and its figures as CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
import math
from pathlib import Path

from geotools.errors import FileError
from geotools.evaluation.assessment import Assessment
from geotools.evaluation.report import RunFacts
from geotools.io.atomic import write_atomic

__all__ = ["check_table", "write_report", "write_table"]

_SCHEMA = 1


def check_table(path: Path | None) -> None:
    """Nothing, when figures can be written to such a file.

    Raises:
        FileError: they cannot.
    """
    if path is not None and path.suffix.lower() not in (".csv", ".json"):
        raise FileError(f"{path} is no table that can be written: name a .csv or .json file.")


def write_report(text: str, path: Path, *, overwrite: bool = False) -> None:
    """Writes the report.

    Raises:
        FileError: the file cannot be written.
    """
    _write(text, path, overwrite)


def write_table(
    assessment: Assessment, facts: RunFacts, path: Path, *, overwrite: bool = False
) -> None:
    """Writes the figures with their intervals, by the suffix of the file.

    CSV: one figure a row; empty where there is none, `inf` and `-inf` where it has no bound. JSON:
    the same under `figures`, with what was tested; null where there is none.

    Raises:
        FileError: the file cannot be written.
    """
    rows = list(assessment.rows())
    record = assessment.record
    if path.suffix.lower() == ".json":
        body = {
            "schema": _SCHEMA,
            "model": dict(facts.model),
            "catalog": {"name": facts.catalog, "sha256": facts.catalog_sha256},
            "start": record.starts[0].isoformat(),
            "end": record.ends[-1].isoformat(),
            "windows": len(record.starts),
            "horizon_days": facts.horizon_days,
            "step_days": facts.step_days,
            "magnitudes": list(record.magnitudes),
            "events": int(record.observed.sum()),
            "left_out": {"catalog": facts.left_out, "windows": dict(record.left_out)},
            "notes": list(facts.notes),
            "seed": assessment.seed,
            "simulations": assessment.simulations,
            "variance_ratio": assessment.variance_ratio,
            "command": facts.command,
            "figures": [{key: _plain(value) for key, value in row.items()} for row in rows],
        }
        text = json.dumps(body, ensure_ascii=False, indent=1, allow_nan=False) + "\n"
    else:
        stream = io.StringIO()
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: "" if value != value else value for key, value in row.items()})
        text = stream.getvalue()
    _write(text, path, overwrite)


def _write(text: str, path: Path, overwrite: bool) -> None:
    """The text as UTF-8, under its name when it was read back."""
    data = text.encode("utf-8", errors="replace")

    def verify(written: Path) -> None:
        if written.read_bytes() != data:
            raise FileError(f"{path} reads back otherwise than it was written: is the disk full?")

    with write_atomic(path, overwrite=overwrite, verify=verify) as part:
        part.write_bytes(data)


def _plain(value: str | float) -> str | float | None:
    """The value as JSON has it: null for NaN, words for what has no bound."""
    if isinstance(value, str) or math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)
