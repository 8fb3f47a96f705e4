"""geotools predict: any model over any rasters, or over a table."""

from __future__ import annotations

import math
import os
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from geotools.cli.options import (
    area,
    area_options,
    cog_option,
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

if TYPE_CHECKING:
    from geotools.inference.foreign import ForeignSettings

__all__ = ["command"]

# numpy's linear algebra, of which there is none here, starts threads that spin for a while.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@click.command("predict")
@click.argument("model")
@click.argument("inputs", nargs=-1, required=True, metavar="RASTER...")
@click.option("-o", "--output", required=True, metavar="OUT.tif", help="GeoTIFF (CSV of a table).")
@click.option("--polygons", metavar="OUT.gpkg", help="GeoPackage of polygons.")
@click.option("--confidence", is_flag=True, help="Add the model's confidence (%) as band 2.")
@click.option(
    "--probabilities",
    is_flag=True,
    help="Write every class's probability to OUT_probabilities.tif (of a table: as columns).",
)
@click.option(
    "--probability-type",
    type=click.Choice(["float16", "uint8", "float32"]),
    default="float16",
    show_default=True,
    help="How probabilities are stored; uint8 in steps of 0.4 %.",
)
@click.option("--entropy", is_flag=True, help="Write how unsure the model is to OUT_entropy.tif.")
@click.option("--confidence-file", metavar="OUT.tif", help="Write the confidence (%) there.")
@click.option(
    "--probabilities-file", metavar="OUT.tif", help="Write every class's probability there."
)
@click.option("--entropy-file", metavar="OUT.tif", help="Write how unsure the model is there.")
@click.option("--min-area", type=float, default=0.0, metavar="M2", help="Merge smaller polygons.")
@click.option("--simplify", type=float, default=0.0, metavar="M", help="Simplify outlines by M.")
@click.option("--bands", metavar="N,N,…", help="Bands of the raster in the model's order, from 1.")
@click.option("--crs", metavar="CRS", help="CRS of the rasters, such as EPSG:32633.")
@click.option("--nodata", type=float, metavar="VALUE", help="Value of missing cells.")
@click.option("--scale", metavar="F", help="Foreign models: multiplies the values, such as 1/255.")
@click.option("--mean", metavar="X,…", help="Foreign models: means of the scaled bands.")
@click.option("--std", metavar="X,…", help="Foreign models: their standard deviations.")
@click.option(
    "--classes",
    metavar="NAME,…",
    help="Foreign models: classes in the order of the channels, or 1=water,2=forest; of one "
    "channel, what it finds.",
)
@click.option("--values", is_flag=True, help="Foreign models: the output is values, not classes.")
@click.option(
    "--activation",
    type=click.Choice(["softmax", "sigmoid"]),
    help="Foreign models: what makes probabilities of the output.",
)
@click.option(
    "--standardize",
    type=click.Choice(["tile"]),
    help="Foreign models: take every tile's own mean and deviation instead of --scale.",
)
@click.option(
    "--fill",
    type=click.Choice(["nearest", "mean", "zero"]),
    help="Foreign models: what missing cells are to the net [nearest].",
)
@click.option("--head", type=int, metavar="N", help="Foreign models: which output, from 1 [1].")
@click.option("--tile-size", type=int, metavar="N", help="Foreign models: cells of a tile [512].")
@click.option(
    "--overlap", type=float, metavar="%", help="Foreign models: overlap of tiles, per cent [15]."
)
@click.option(
    "--resolution", type=float, metavar="CM", help="Foreign models: centimetres in a cell."
)
@click.option(
    "--run-limit", type=float, metavar="S", help="Foreign models: seconds for one tile [600]."
)
@click.option(
    "--resample", is_flag=True, help="Bring the raster to cells that the model was made for."
)
@area_options
@model_options
@job_options
@cog_option
@run_options
def command(
    model: str, inputs: tuple[str, ...], output: str, progress: str, **options: Any
) -> None:
    """Map what MODEL says of every cell of the RASTERs: its classes, or its values.

    MODEL is an .onnx file or the name of a model that comes with geotools; `geotools info MODEL`
    says which rasters it takes, in which order. Models of others run by their metadata
    (Deepness), or by --bands, --scale and --classes. A model made from a table takes a table.
    """
    from geotools.maps.predict_rows import is_table, predict_table

    if not options["polygons"] and (options["min_area"] or options["simplify"]):
        raise click.UsageError("--min-area and --simplify shape polygons: give --polygons too.")
    bands = _bands(options["bands"])
    foreign = _foreign(options, bands)
    with reporting(progress) as report:
        if is_table(inputs[0]):
            _refuse_for_tables(options, inputs)
            table = predict_table(
                model,
                inputs[0],
                output,
                probabilities=options["probabilities"],
                overwrite=options["overwrite"],
                progress=report.step,
                warn=report.warning,
            )
            report.result(
                f"{table.path}: {table.rows} rows by {table.model}, {table.seconds:.1f} s",
                {
                    "outputs": [str(table.path)],
                    "model": table.model,
                    "rows": table.rows,
                    "counts": dict(table.counts),
                    "seconds": round(table.seconds, 3),
                },
            )
            return
        from geotools.maps import (
            LayerFiles,
            Polygons,
            RasterOptions,
            map_predictions,
            order_predictions,
        )
        from geotools.maps.preflight import check_order

        polygons = options["polygons"]
        shares = options["probabilities"] or options["probabilities_file"]
        asked: dict[str, Any] = {
            "polygons": polygons and Polygons(polygons, options["min_area"], options["simplify"]),
            "confidence": options["confidence"],
            "entropy": options["entropy"],
            "probabilities": options["probability_type"] if shares else False,
            "files": LayerFiles(
                options["confidence_file"], options["entropy_file"], options["probabilities_file"]
            ),
            "reading": RasterOptions(options["crs"], bands, options["nodata"], options["resample"]),
            "foreign": foreign,
            "area": area(options),
            "tta": options["tta"],
            "device": options["device"],
            "seams": options["seams"],
            "effort": effort(options["tile"], options["threads"], options["memory"]),
            "running": running(options),
            "cog": options["cog"],
            "overwrite": options["overwrite"],
        }
        models = [model, *options["others"]]
        if options["dry_run"]:
            say_preflight(report, check_order(order_predictions(models, inputs, output, **asked)))
            return
        made = map_predictions(
            models, inputs, output, **asked,
            progress=report.step, warn=report.warning, inform=report.info,
        )  # fmt: skip
        if made.shard is not None:
            say_shard(report, made.shard, options["job"], made.seconds)
            return
        outputs = [str(path) for path in made.outputs]
        what = f"{len(made.classes)} classes" if made.classes else "values"
        report.result(
            f"{' and '.join(outputs)}: {what} by {made.model} on {made.device}, "
            f"{made.seconds:.1f} s{say_seams(made.seams, asked=options['seams'])}",
            {
                "outputs": outputs,
                "model": made.model,
                "device": made.device,
                "seams": made.seams and asdict(made.seams),
                "area_m2": dict(made.area_m2),
                "seconds": round(made.seconds, 3),
            },
        )


_NOT_FOR_TABLES = (
    "bbox", "bbox_crs", "mask", "mask_layer", "others", "tta", "seams", "dry_run",
    "polygons", "confidence", "entropy", "confidence_file", "probabilities_file", "entropy_file",
    "cog", "executor", "workers", "unit", "unit_limit",
    "job", "shard", "scheduler", "insecure_scheduler", "bands", "crs", "nodata", "scale", "mean",
    "std", "classes", "values", "activation", "standardize", "head", "tile_size", "overlap",
    "resolution", "run_limit", "fill", "resample", "tile",
)  # fmt: skip
"""Options that say something of rasters."""


def _refuse_for_tables(options: dict[str, Any], inputs: tuple[str, ...]) -> None:
    if len(inputs) != 1:
        raise click.UsageError("One table at a time: run the command for each.")
    for name in _NOT_FOR_TABLES:
        if options[name] not in (None, False, ()):
            raise click.UsageError(f"--{name.replace('_', '-')} belongs to rasters: leave it out.")


def _foreign(options: dict[str, Any], bands: tuple[int, ...] | None) -> ForeignSettings:
    from geotools.inference.foreign import ForeignSettings

    return ForeignSettings(
        scale=None if options["scale"] is None else _number(options["scale"], "--scale"),
        mean=_numbers(options["mean"], "--mean"),
        std=_numbers(options["std"], "--std"),
        classes=_classes(options["classes"]),
        values=options["values"],
        activation=options["activation"],
        head=options["head"],
        tile_size=options["tile_size"],
        overlap_percent=options["overlap"],
        resolution_cm=options["resolution"],
        bands=None if bands is None else len(bands),
        standardize=options["standardize"],
        run_limit_s=options["run_limit"],
        fill=options["fill"],
    )


def _bands(text: str | None) -> tuple[int, ...] | None:
    if text is None:
        return None
    try:
        numbers = tuple(int(part) for part in text.split(","))
    except ValueError:
        numbers = ()
    if not numbers or min(numbers) < 1:
        raise click.UsageError(f"--bands {text!r} is not understood: give numbers such as 3,2,1.")
    return numbers


def _numbers(text: str | None, flag: str) -> tuple[float, ...] | None:
    return None if text is None else tuple(_number(part, flag) for part in text.split(","))


def _number(text: str, flag: str) -> float:
    """A number, or a fraction such as 1/255."""
    above, slash, below = text.partition("/")
    try:
        value = float(above) / float(below) if slash else float(above)
    except (ValueError, ZeroDivisionError, OverflowError):
        value = math.nan
    if not math.isfinite(value):
        raise click.UsageError(f"{flag} {text!r} is no number: give one such as 0.0039 or 1/255.")
    return value


def _classes(text: str | None) -> tuple[tuple[int | None, str], ...] | None:
    """Code and name of each class: `1=water,2=forest`, or names alone."""
    if text is None:
        return None
    found: list[tuple[int | None, str]] = []
    for part in text.split(","):
        code, equals, name = part.partition("=")
        if not equals:
            found.append((None, part.strip()))
        elif code.strip().isdecimal() and 1 <= int(code) <= 254:
            found.append((int(code), name.strip()))
        else:
            found.append((None, ""))
    mixed = len({code is None for code, _ in found}) != 1
    if mixed or not all(name for _, name in found):
        raise click.UsageError(
            f"--classes {text!r} is not understood: give 1=water,2=forest with codes from 1 to "
            "254, or names alone."
        )
    return tuple(found)
