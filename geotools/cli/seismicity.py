"""geotools seismicity: maps of what a catalog holds."""

from __future__ import annotations

from typing import Any

import click

from geotools.cli.options import catalog_options, column_mapping, effort, moment, run_options
from geotools.cli.reporting import reporting

__all__ = ["command"]


def _known(context: click.Context, parameter: click.Parameter, name: str) -> str:
    from geotools.seismicity.quantities import QUANTITIES

    if name not in QUANTITIES:
        raise click.BadParameter(f"{name!r} is unknown: choose from {', '.join(QUANTITIES)}.")
    return name


def _method(context: click.Context, parameter: click.Parameter, name: str | None) -> str | None:
    from geotools.maps.event_choice import METHODS

    if name is not None and name not in METHODS:
        raise click.BadParameter(f"{name!r} is unknown: choose from {', '.join(METHODS)}.")
    return name


def _list(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if not value or context.resilient_parsing:
        return
    from geotools.seismicity.quantities import QUANTITIES

    for quantity in QUANTITIES.values():
        print(f"{quantity.name:9}{quantity.title}")
        print(f"{'':9}bands: {', '.join(name for name, _ in quantity.bands)}")
    context.exit()


@click.command("seismicity")
@click.argument("catalog")
@click.option("-o", "--output", required=True, metavar="OUT.tif", help="GeoTIFF, float32.")
@click.option(
    "-q", "--quantity", callback=_known, default="rate", show_default=True, metavar="NAME",
    help="rate, b, a, mc, energy, count, z or elapsed, each with its uncertainty.",
)  # fmt: skip
@click.option(
    "--list", is_flag=True, is_eager=True, expose_value=False, callback=_list,
    help="List the quantities and end.",
)  # fmt: skip
@click.option(
    "--bbox", type=float, nargs=4, metavar="W S E N",
    help="Box in degrees; across 180° where W is greater than E [the events'].",
)  # fmt: skip
@click.option(
    "--cell", type=float, metavar="SIZE",
    help="Size of a cell in units of the CRS [a round one, at most 360 a side].",
)  # fmt: skip
@click.option("--crs", metavar="CRS", help="CRS of the map [EPSG:4326].")
@click.option("--like", metavar="RASTER", help="Take the grid of this raster.")
@click.option(
    "--radius", type=float, metavar="KM",
    help="Events within this distance of a cell's centre [b, a, mc and z: 30 km or two diagonals "
    "of a cell, the larger; others: the cell's own].",
)  # fmt: skip
@click.option("--nearest", type=int, metavar="N", help="The N nearest events, within the radius.")
@click.option(
    "--min-events", type=int, metavar="N",
    help="Cells with fewer are nodata [b, a, mc, z: 50; energy, elapsed: 1; others: 0].",
)  # fmt: skip
@click.option(
    "--mc", metavar="M",
    help="Completeness: a magnitude, auto, none, or periods such as 1932:4.0,1980:3.2 "
    "[rate, b, a and z: auto; others: none].",
)  # fmt: skip
@click.option(
    "--delta-m", type=float, default=0.1, show_default=True, help="Width of the magnitude bins."
)
@click.option("--all-types", is_flag=True, help="Keep explosions and everything else too.")
@click.option("--min-magnitude", type=float, metavar="M", help="Least magnitude that is counted.")
@click.option("--start", metavar="DATE", help="First moment, UTC [the first event].")
@click.option("--end", metavar="DATE", help="First moment that does not count [the last event].")
@click.option("--since", metavar="DATE", help="For z: the rate since then against that before.")
@click.option(
    "--declustered", callback=_method, metavar="METHOD",
    help="Count the largest event of each cluster alone: gardner-knopoff, gardner-knopoff-table, "
    "gruenthal, uhrhammer, reasenberg or zaliapin.",
)  # fmt: skip
@catalog_options
@run_options
def command(catalog: str, output: str, quantity: str, progress: str, **options: Any) -> None:
    """Map a quantity of the earthquakes of CATALOG, and print a page about them."""
    from geotools.maps.event_choice import SeismicitySettings
    from geotools.maps.event_grids import MapPlace
    from geotools.maps.seismicity import map_seismicity

    with reporting(progress) as report:
        made = map_seismicity(
            catalog,
            output,
            quantity,
            settings=SeismicitySettings(
                start=moment(options["start"], "--start"),
                end=moment(options["end"], "--end"),
                since=moment(options["since"], "--since"),
                min_magnitude=options["min_magnitude"],
                mc=options["mc"],
                delta_m=options["delta_m"],
                declustered=options["declustered"],
                radius_km=options["radius"],
                nearest=options["nearest"],
                min_events=options["min_events"],
            ),
            place=MapPlace(
                options["bbox"] or None, options["cell"], options["crs"], options["like"]
            ),
            format=options["format"],
            columns=column_mapping(options["columns"]),
            all_types=options["all_types"],
            effort=effort(options["tile"], options["threads"], options["memory"]),
            overwrite=options["overwrite"],
            progress=report.step,
            warn=report.warning,
        )
        grid = made.grid
        page = "\n".join(f"  {line}" for line in made.summary.lines())
        report.result(
            f"{made.path}: {', '.join(made.bands)}; {grid.width} x {grid.height} cells of "
            f"{grid.transform.a:g}, {made.cells_with_value:,} with a value; "
            f"{made.events:,} events, Mc {made.completeness}; events of a cell: "
            f"{made.neighbourhood}; {made.seconds:.1f} s\n{page}",
            {
                "outputs": [str(made.path)],
                "quantity": quantity,
                "bands": list(made.bands),
                "cells": [grid.width, grid.height],
                "cell": grid.transform.a,
                "cells_with_value": made.cells_with_value,
                "events": made.events,
                "completeness": made.completeness,
                "neighbourhood": made.neighbourhood,
                "summary": made.summary.to_dict(),
                "seconds": round(made.seconds, 3),
            },
        )
