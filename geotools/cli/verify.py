"""geotools verify: whether files are still what they were when they were written."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from geotools.verification import Verification

__all__ = ["command"]


@click.command("verify")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a file instead of lines.")
def command(files: tuple[str, ...], as_json: bool) -> None:
    """Say whether each FILE (GeoTIFF, GeoPackage, model) is whole; exit 1 when one is not.

    What geotools writes is compared with the record beside it (NAME.json). Other files, and those
    that differ, are read to the last cell, and what cannot be read is named.
    """
    from geotools.errors import FileError
    from geotools.verification import verify

    whole = True
    for file in files:
        try:
            found = verify(file)
        except FileError as error:  # there is none; the others are looked at all the same
            whole = False
            if as_json:
                missing = {"path": file, "whole": False, "state": "missing", "sentence": str(error)}
                print(json.dumps(missing, ensure_ascii=False))
            else:
                print(f"Error: {error}", file=sys.stderr)
            continue
        whole &= found.whole
        if as_json:
            print(json.dumps(_plain(found), ensure_ascii=False))
        elif found.whole:
            print(found.sentence)
        else:
            print(f"Error: {found.sentence}", file=sys.stderr)
    sys.exit(0 if whole else 1)


def _plain(found: Verification) -> dict[str, Any]:
    """As plain values."""
    return {
        "path": str(found.path),
        "whole": found.whole,
        "state": found.state,
        "sentence": found.sentence,
        "record": dataclasses.asdict(found.record) if found.record else None,
        "damaged": [dataclasses.asdict(block) for block in found.damaged],
    }
