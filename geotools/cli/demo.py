"""geotools demo: a real DEM that comes with matplotlib, mapped from file to files."""

from __future__ import annotations

from pathlib import Path

import click

from geotools.cli.reporting import reporting

__all__ = ["command"]


@click.command("demo")
@click.option(
    "-o", "--output", default="geotools-demo", show_default=True, metavar="FOLDER",
    help="Folder for the results; made when it is not there.",
)  # fmt: skip
def command(output: str) -> None:
    """Map the landforms of the Jacksboro fault (Tennessee, SRTM 3 arc-seconds, public domain),
    which comes with matplotlib, and write GeoTIFF, GeoPackage and a picture.
    """
    from geotools.demo import demo

    with reporting("auto") as report:
        made = demo(Path(output), progress=report.step)
        lines = [f"Landforms of the Jacksboro fault, in {made.seconds:.1f} s:"]
        lines += [f"  {path}   {meaning}" for path, meaning in made.outputs.items()]
        lines.append("Open the .tif and .gpkg in QGIS: they come with names and colours.")
        report.result("\n".join(lines), {"outputs": [str(path) for path in made.outputs]})
