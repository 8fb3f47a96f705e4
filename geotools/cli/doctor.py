"""geotools doctor: what is installed and whether it works."""

from __future__ import annotations

import dataclasses
import json
import sys

import click

from geotools.cli.reporting import SCHEMA
from geotools.version import VERSION

__all__ = ["command"]


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def command(as_json: bool) -> None:
    """Say what is installed and whether it works; exit 1 when something that is needed does not."""
    from geotools.doctor import examine

    findings = examine()
    healthy = all(finding.ok for finding in findings)
    if as_json:
        body = {
            "schema": SCHEMA,
            "version": VERSION,
            "python": sys.executable,
            "models": _models(),
            "ok": healthy,
            "findings": [dataclasses.asdict(finding) for finding in findings],
        }
        print(json.dumps(body, ensure_ascii=False))
    else:
        width = max(len(finding.what) for finding in findings)
        for finding in findings:
            mark = "ok  " if finding.ok else "FAIL"
            print(f"{mark}  {finding.what:<{width}}  {finding.detail}")
    sys.exit(0 if healthy else 1)


def _models() -> list[str]:
    """Names of the models that come with this installation."""
    from geotools.inference.model import shipped_models

    return list(shipped_models())
