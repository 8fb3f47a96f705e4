"""geotools export: a trained model for other programs, or in fewer bits."""

from __future__ import annotations

from typing import Any

import click

from geotools.cli.options import output_options
from geotools.cli.reporting import reporting

__all__ = ["command"]


@click.command("export")
@click.argument("model", metavar="MODEL")
@click.option("-o", "--output", required=True, metavar="OUT.onnx", help="The file to write.")
@click.option(
    "--for",
    "target",
    type=click.Choice(["deepness"]),
    help="Which program: Deepness, a plugin of QGIS [what is written without --quantize].",
)
@click.option(
    "--tile", type=click.IntRange(32, 4096), metavar="N",
    help="Cells on a side of its tiles [512; 128 for models of single cells].",
)  # fmt: skip
@click.option(
    "--resolution", type=click.FloatRange(0, min_open=True), metavar="CM",
    help="Centimetres of a cell [the middle of what the model is made for].",
)  # fmt: skip
@click.option(
    "--quantize", type=click.Choice(["int8", "fp16"]),
    help="Instead, for geotools: inner layers of a net in fewer bits.",
)  # fmt: skip
@click.option(
    "--on", "rasters", multiple=True, metavar="RASTER",
    help="What to measure and prove it on, as the model takes it; once for each raster.",
)  # fmt: skip
@click.option(
    "--floor", type=click.FloatRange(0, 100), metavar="%",
    help="Cells that must keep their class, per cent, or nothing is written [99].",
)  # fmt: skip
@click.option("--crs", metavar="CRS", help="CRS of the rasters, such as EPSG:32633.")
@click.option("--nodata", type=float, metavar="VALUE", help="Value of missing cells in RASTER.")
@output_options
def command(model: str, output: str, progress: str, **options: Any) -> None:
    """Write MODEL (an .onnx file, or the folder of a training) as another program takes it.

    With --quantize, write it for geotools with its inner layers in int8 or float16, compared with
    MODEL on windows of the rasters that nothing was measured on.
    """
    from geotools.maps.export import export_for

    _refuse_mixed(options)
    with reporting(progress) as report:
        if options["quantize"]:
            from geotools.maps.predict_inputs import RasterOptions
            from geotools.maps.quantize import quantize_for

            made = quantize_for(
                model,
                output,
                options["rasters"],
                kind=options["quantize"],
                floor=None if options["floor"] is None else options["floor"] / 100,
                reading=RasterOptions(crs=options["crs"], nodata=options["nodata"]),
                overwrite=options["overwrite"],
                progress=report.step,
                warn=report.warning,
            )
        else:
            made = export_for(
                model,
                output,
                target=options["target"] or "deepness",
                tile=options["tile"],
                resolution_cm=options["resolution"],
                overwrite=options["overwrite"],
            )
        report.result(made.sentence, {"outputs": [str(made.path)], "parity": dict(made.parity)})


_OF_PROGRAMS = {"--for": "target", "--tile": "tile", "--resolution": "resolution"}
_OF_QUANTIZE = {"--on": "rasters", "--floor": "floor", "--crs": "crs", "--nodata": "nodata"}
"""Options that say something of one of the two kinds of export."""


def _refuse_mixed(options: dict[str, Any]) -> None:
    others = _OF_PROGRAMS if options["quantize"] else _OF_QUANTIZE
    for flag, name in others.items():
        if options[name] not in (None, ()):
            way = "without" if options["quantize"] else "with"
            raise click.UsageError(f"{flag} goes {way} --quantize: leave one of them out.")
    if options["quantize"] and not options["rasters"]:
        raise click.UsageError("--quantize measures on rasters: give --on RASTER.")
