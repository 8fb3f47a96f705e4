"""geotools forecast: the other main job."""

from __future__ import annotations

from typing import Any

import click

from geotools.cli.options import catalog_options, column_mapping, moment, output_options
from geotools.cli.reporting import reporting
from geotools.errors import FileError

__all__ = ["command"]


@click.command("forecast")
@click.argument("catalog")
@click.option("-o", "--output", required=True, metavar="OUT.tif", help="GeoTIFF of the forecast.")
@click.option("--cells", metavar="OUT.gpkg", help="GeoPackage: cells, events used, summary.")
@click.option("--picture", metavar="OUT.png", help="Picture of the map and the latest events.")
@click.option(
    "--model",
    metavar="MODEL.onnx",
    help="A seismicity model, or generic for none [the shipped one whose region holds the events].",
)
@click.option("--start", metavar="DATE", help="Issue time, UTC [just after the last event].")
@click.option("--horizon", type=float, metavar="DAYS", help="Length of the window [the model's].")
@click.option("--min-magnitude", type=float, metavar="M", help="Lowest threshold [the model's].")
@catalog_options
@output_options
def command(catalog: str, output: str, progress: str, **options: Any) -> None:
    """Map the expected number of earthquakes after the events of CATALOG.

    Every map has the long-term baseline beside it. Nothing here predicts single earthquakes.
    """
    from geotools.maps.forecast import map_forecast
    from geotools.maps.inputs import check_paths
    from geotools.pictures import forecast_picture

    with reporting(progress) as report:
        picture = options["picture"]
        if picture:
            named = [path for path in (output, options["cells"], picture) if path]
            check_paths(catalog, named, options["overwrite"])
            if not picture.lower().endswith(".png"):
                raise FileError(f"{picture} does not end in .png: name one that does.")
        made = map_forecast(
            catalog,
            output,
            cells=options["cells"],
            model=options["model"],
            start=moment(options["start"], "--start"),
            horizon_days=options["horizon"],
            min_magnitude=options["min_magnitude"],
            format=options["format"],
            columns=column_mapping(options["columns"]),
            overwrite=options["overwrite"],
            progress=report.step,
            warn=report.warning,
        )
        issued, forecast = made.issued, made.issued.forecast
        lowest = forecast.magnitudes[0]
        low, high = issued.interval(lowest)
        outputs = [str(path) for path in (made.path, made.cells, picture) if path]
        if picture:
            forecast_picture(issued, made.events, picture, overwrite=options["overwrite"])
        report.result(
            f"{', '.join(outputs)}: {forecast.total:.3g} earthquakes of M {lowest:g} or more "
            f"expected ({low} to {high}), {issued.smoothed.total:.3g} by the long-term baseline, "
            f"{forecast.start:%Y-%m-%d %H:%M} to {forecast.end:%Y-%m-%d %H:%M} UTC, by "
            f"{issued.model['name']}, {made.seconds:.1f} s",
            {
                "outputs": outputs,
                "model": dict(issued.model),
                "start": forecast.start.isoformat(),
                "end": forecast.end.isoformat(),
                "magnitudes": list(forecast.magnitudes),
                "expected": [
                    float(forecast.at_least(edge)[forecast.rates.valid].sum())
                    for edge in forecast.magnitudes
                ],
                "interval_95": [low, high],
                "baseline": issued.smoothed.total,
                "mc": issued.mc,
                "b_value": issued.b_value,
                "events_used": int(issued.used.sum()),
                "left_out": dict(issued.left_out),
                "notes": list(issued.notes),
                "seconds": round(made.seconds, 3),
            },
        )
