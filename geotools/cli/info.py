"""geotools info: what is in a file."""

from __future__ import annotations

import json

import click

__all__ = ["command"]


@click.command("info")
@click.argument("file")
@click.option("--json", "as_json", is_flag=True, help="One JSON object instead of lines.")
def command(file: str, as_json: bool) -> None:
    """Say what is in FILE: a raster, a GeoPackage, an earthquake catalog or a model (.onnx)."""
    from geotools.describe import as_text, describe

    found = describe(file)
    print(json.dumps(found, ensure_ascii=False) if as_json else as_text(found))
