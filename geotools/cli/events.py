"""geotools events: any earthquake catalog as a styled layer."""

from __future__ import annotations

from typing import Any

import click

from geotools.cli.options import catalog_options, column_mapping, moment, output_options
from geotools.cli.reporting import reporting

__all__ = ["command"]


@click.command("events")
@click.argument("catalog")
@click.option(
    "-o", "--output", required=True, metavar="OUT.gpkg",
    help="GeoPackage; or .parquet, .csv, .geojson.",
)  # fmt: skip
@click.option("--all-types", is_flag=True, help="Keep explosions and everything else too.")
@click.option("--min-magnitude", type=float, metavar="M", help="Smallest magnitude.")
@click.option("--start", metavar="DATE", help="First moment, UTC.")
@click.option("--end", metavar="DATE", help="First moment that is not wanted any more, UTC.")
@click.option(
    "--bbox", type=float, nargs=4, metavar="W S E N",
    help="Box in degrees; across 180° where W is greater than E.",
)  # fmt: skip
@catalog_options
@output_options
def command(catalog: str, output: str, progress: str, **options: Any) -> None:
    """Write the earthquakes of CATALOG as points, drawn by depth and magnitude.

    Explosions and whatever else is no earthquake are left out, and counted.
    """
    from geotools.maps.events import EventSelection, map_events

    with reporting(progress) as report:
        made = map_events(
            catalog,
            output,
            selection=EventSelection(
                min_magnitude=options["min_magnitude"],
                start=moment(options["start"], "--start"),
                end=moment(options["end"], "--end"),
                bbox=options["bbox"] or None,
            ),
            format=options["format"],
            columns=column_mapping(options["columns"]),
            all_types=options["all_types"],
            overwrite=options["overwrite"],
            progress=report.step,
            warn=report.warning,
        )
        read = made.report
        report.result(
            f"{made.path}: {made.written:,} of {read.read + read.skipped_count:,} events from "
            f"{read.format}, {made.seconds:.1f} s",
            {
                "outputs": [str(made.path)],
                "format": read.format,
                "read": read.read,
                "skipped": [
                    {"reason": item.reason, "count": item.count, "example": item.example}
                    for item in read.skipped
                ],
                "left_out": dict(made.left_out),
                "written": made.written,
                "notes": list(read.notes),
                "seconds": round(made.seconds, 3),
            },
        )
