"""geotools export: a trained model for other programs."""

from __future__ import annotations

from typing import Any

import click

from geotools.cli.options import output_options
from geotools.cli.reporting import reporting

__all__ = ["command"]


@click.command("export")
@click.argument("model", metavar="MODEL")
@click.option("-o", "--output", required=True, metavar="OUT.onnx", help="The file for others.")
@click.option(
    "--for",
    "target",
    type=click.Choice(["deepness"]),
    default="deepness",
    show_default=True,
    help="Which program: Deepness, a plugin of QGIS.",
)
@click.option(
    "--tile", type=click.IntRange(32, 4096), metavar="N",
    help="Cells on a side of its tiles [512; 128 for models of single cells].",
)  # fmt: skip
@click.option(
    "--resolution", type=click.FloatRange(0, min_open=True), metavar="CM",
    help="Centimetres of a cell [the middle of what the model is made for].",
)  # fmt: skip
@output_options
def command(model: str, output: str, progress: str, **options: Any) -> None:
    """Write MODEL (an .onnx file, or the folder of a training) as another program takes it."""
    from geotools.maps.export import export_for

    with reporting(progress) as report:
        made = export_for(
            model,
            output,
            target=options["target"],
            tile=options["tile"],
            resolution_cm=options["resolution"],
            overwrite=options["overwrite"],
        )
        report.result(made.sentence, {"outputs": [str(made.path)], "parity": dict(made.parity)})
