"""geotools terrain: attributes of an elevation model."""

from __future__ import annotations

import os
from typing import Any

import click

from geotools.cli.options import cog_option, dem_options, effort, run_options
from geotools.cli.reporting import reporting
from geotools.hashing import begin_hashing

__all__ = ["command"]

# numpy's linear algebra, of which there is none here, starts threads that spin for a while.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _known(
    context: click.Context, parameter: click.Parameter, names: tuple[str, ...]
) -> tuple[str, ...]:
    from geotools.terrain.attributes import ATTRIBUTES

    for name in names:
        if name not in ATTRIBUTES:
            raise click.BadParameter(f"{name!r} is unknown: choose from {', '.join(ATTRIBUTES)}.")
    return names


def _list(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    from geotools.terrain.attributes import ATTRIBUTES

    for attribute in ATTRIBUTES.values():
        unit = f" ({attribute.unit})" if attribute.unit else ""
        print(f"{attribute.name:22}{attribute.description}{unit}")
    context.exit()


@click.command("terrain")
@click.argument("dem")
@click.option("-o", "--output", required=True, metavar="OUT.tif", help="GeoTIFF, float32.")
@click.option(
    "-a", "--attribute", "names", multiple=True, callback=_known, default=("slope",),
    show_default="slope", help="A band of the output; may be given several times.",
)  # fmt: skip
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list,
    help="List the attributes and end.",
)  # fmt: skip
@click.option(
    "--method", type=click.Choice(["horn", "zevenbergen-thorne"]), default="horn",
    show_default=True, help="Stencil of slope, aspect, hillshade and curvatures.",
)  # fmt: skip
@click.option("--radius", type=int, metavar="N", help="Cells to every side, for windows.")
@click.option("--azimuth", type=float, default=315.0, show_default=True, help="Of the light.")
@click.option("--altitude", type=float, default=45.0, show_default=True, help="Of the light.")
@click.option(
    "--slope-unit", type=click.Choice(["degrees", "percent", "radians"]), default="degrees",
    show_default=True, help="Unit of the slope.",
)  # fmt: skip
@click.option("--edges", is_flag=True, help="Compute cells at edges and voids too.")
@click.option(
    "--compress", type=click.Choice(["zstd", "deflate", "lzw", "none"]), default="zstd",
    show_default=True, help="Compression of the output.",
)  # fmt: skip
@dem_options
@cog_option
@run_options
def command(dem: str, output: str, names: tuple[str, ...], progress: str, **options: Any) -> None:
    """Write terrain attributes of DEM, one band each: slope in degrees when none is named."""
    begin_hashing(dem)
    from geotools.maps.inputs import DemOptions
    from geotools.maps.terrain import TerrainSettings, map_terrain

    with reporting(progress) as report:
        made = map_terrain(
            dem,
            output,
            names,
            settings=TerrainSettings(
                method=options["method"],
                radius=options["radius"],
                azimuth_deg=options["azimuth"],
                altitude_deg=options["altitude"],
                slope_unit=options["slope_unit"],
                edges=options["edges"],
            ),
            reading=DemOptions(
                options["crs"], options["band"], options["nodata"], options["z_factor"]
            ),
            effort=effort(options["tile"], options["threads"], options["memory"]),
            compress=options["compress"],
            cog=options["cog"],
            overwrite=options["overwrite"],
            progress=report.step,
        )
        report.result(
            f"{made.path}: {', '.join(made.attributes)}, {made.seconds:.1f} s",
            {
                "outputs": [str(made.path)],
                "attributes": list(made.attributes),
                "seconds": round(made.seconds, 3),
            },
        )
