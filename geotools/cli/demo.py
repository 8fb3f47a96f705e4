"""geotools demo: a real DEM and real earthquakes, mapped from file to files."""

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
@click.option(
    "--catalog", metavar="FILE",
    help="Earthquakes to forecast from [six of March 2013 that come with ObsPy].",
)  # fmt: skip
def command(output: str, catalog: str | None) -> None:
    """Map the landforms of the Jacksboro fault (Tennessee, SRTM 3 arc-seconds, public domain),
    which comes with matplotlib, and the earthquakes to expect after a catalog; write GeoTIFFs,
    GeoPackages and pictures.
    """
    from geotools.demo import demo

    with reporting("auto") as report:
        made = demo(Path(output), catalog=catalog, progress=report.step)
        lines = [f"Landforms of the Jacksboro fault, in {made.seconds:.1f} s, and earthquakes:"]
        lines += [f"  {path}   {meaning}" for path, meaning in made.outputs.items()]
        lines.append("Open the .tif and .gpkg in QGIS: they come with names and colours.")
        report.result("\n".join(lines), {"outputs": [str(path) for path in made.outputs]})
