"""geotools landforms: the main job."""

from __future__ import annotations

import os
from dataclasses import asdict
from typing import Any

import click

from geotools.cli.options import (
    area,
    area_options,
    cog_option,
    dem_options,
    effort,
    job_options,
    model_options,
    run_options,
    running,
    say_preflight,
    say_seams,
    say_shard,
)
from geotools.cli.reporting import reporting
from geotools.hashing import begin_hashing

__all__ = ["command"]

# numpy's linear algebra, of which there is none here, starts threads that spin for a while.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@click.command("landforms")
@click.argument("dem")
@click.option("-o", "--output", required=True, metavar="OUT.tif", help="Class GeoTIFF.")
@click.option("--polygons", metavar="OUT.gpkg", help="GeoPackage of polygons.")
@click.option("--confidence", is_flag=True, help="Add the model's confidence (%) as band 2.")
@click.option("--confidence-file", metavar="OUT.tif", help="Write the confidence (%) there.")
@click.option(
    "--method",
    type=click.Choice(["model", "geomorphons"]),
    default="model",
    show_default=True,
    help="The learned model, which sees through noise, or the exact algorithm.",
)
@click.option("--model", metavar="MODEL.onnx", help="Another landform model [landforms-v1].")
@click.option("--search", type=int, metavar="N", help="Geomorphons: cells to look [10].")
@click.option("--skip", type=int, metavar="N", help="Geomorphons: nearest cells left out [0].")
@click.option("--flat", type=float, metavar="DEG", help="Geomorphons: flatness threshold [1].")
@click.option(
    "--flat-distance", type=float, metavar="N", help="Geomorphons: flatness distance, cells [0]."
)
@click.option(
    "--dialect",
    type=click.Choice(["grass", "whitebox", "paper"]),
    help="Geomorphons: whose rules [grass].",
)
@click.option("--min-area", type=float, default=0.0, metavar="M2", help="Merge smaller polygons.")
@click.option("--simplify", type=float, default=0.0, metavar="M", help="Simplify outlines by M.")
@dem_options
@area_options
@model_options
@job_options
@cog_option
@run_options
def command(dem: str, output: str, progress: str, **options: Any) -> None:
    """Map the landforms of DEM: flat, peak, ridge, shoulder, spur, slope, hollow, footslope,
    valley, pit.
    """
    begin_hashing(dem)
    from geotools.maps import DemOptions, Geomorphons, Polygons, map_landforms, order_landforms
    from geotools.maps.preflight import check_order

    exact = {name: options[flag] for flag, name in _EXACT.items() if options[flag] is not None}
    is_exact = options["method"] == "geomorphons"
    if exact and not is_exact:
        flag = next(flag for flag in _EXACT if options[flag] is not None)
        raise click.UsageError(
            f"--{flag.replace('_', '-')} belongs to --method geomorphons: the model's scale is "
            "fixed in its file."
        )
    for name, flag in _OF_MODELS.items():
        if is_exact and options[name] not in (None, False, (), "auto"):
            raise click.UsageError(f"--{flag} belongs to --method model.")
    if not options["polygons"] and (options["min_area"] or options["simplify"]):
        raise click.UsageError("--min-area and --simplify shape polygons: give --polygons too.")
    with reporting(progress) as report:
        polygons = options["polygons"]
        models = [options["model"] or "landforms-v1", *options["others"]]
        asked: dict[str, Any] = {
            "polygons": polygons and Polygons(polygons, options["min_area"], options["simplify"]),
            "confidence": options["confidence"],
            "confidence_path": options["confidence_file"],
            "reading": DemOptions(
                options["crs"], options["band"], options["nodata"], options["z_factor"]
            ),
            "area": area(options),
            "tta": options["tta"],
            "device": options["device"],
            "seams": options["seams"],
            "effort": effort(options["tile"], options["threads"], options["memory"]),
            "running": running(options),
            "cog": options["cog"],
            "overwrite": options["overwrite"],
        }
        if options["dry_run"]:
            say_preflight(report, check_order(order_landforms(dem, output, method=models, **asked)))
            return
        made = map_landforms(
            dem, output, method=Geomorphons(**exact) if is_exact else models, **asked,
            progress=report.step, warn=report.warning, inform=report.info,
        )  # fmt: skip
        if made.shard is not None:
            say_shard(report, made.shard, options["job"], made.seconds)
            return
        outputs = [str(path) for path in (made.path, made.polygons, made.confidence) if path]
        report.result(
            f"{' and '.join(outputs)}: landforms by {made.method} on {made.device}, "
            f"{made.seconds:.1f} s{say_seams(made.seams, asked=options['seams'])}",
            {
                "outputs": outputs,
                "method": made.method,
                "device": made.device,
                "seams": made.seams and asdict(made.seams),
                "area_m2": dict(made.area_m2),
                "seconds": round(made.seconds, 3),
            },
        )


_OF_MODELS = {
    "model": "model",
    "others": "with",
    "tta": "tta",
    "device": "device",
    "seams": "seams",
    "dry_run": "dry-run",
    "job": "job",
    "unit": "unit",
}
"""Option and flag of what the exact algorithm does not have."""

_EXACT = {
    "search": "search",
    "skip": "skip",
    "flat": "flat_deg",
    "flat_distance": "flat_distance",
    "dialect": "dialect",
}
"""Flag and setting of the exact algorithm."""
