"""The flags that several commands share, each defined once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from geotools.effort import Effort, parse_bytes

if TYPE_CHECKING:
    from geotools.cli.reporting import Report
    from geotools.engine.execute import Outcome, Shard
    from geotools.engine.run import Running
    from geotools.inference.seams import Seams
    from geotools.maps.area import AreaOptions
    from geotools.maps.preflight import Preflight

__all__ = [
    "area",
    "area_options",
    "catalog_options",
    "cog_option",
    "column_mapping",
    "dem_options",
    "effort",
    "job_options",
    "model_options",
    "moment",
    "output_options",
    "run_options",
    "running",
    "say_preflight",
    "say_seams",
    "say_shard",
    "unit_options",
]

_Function = TypeVar("_Function", bound=Callable[..., Any])


def run_options(function: _Function) -> _Function:
    """Adds --tile, --threads, --memory, --overwrite and --progress."""
    for option in reversed(_RUN):
        function = option(function)
    return function


def job_options(function: _Function) -> _Function:
    """Adds --executor, --workers, --unit, --unit-limit, --job, --shard and --scheduler."""
    for option in reversed(_JOB):
        function = option(function)
    return function


def unit_options(function: _Function) -> _Function:
    """Adds those of `job_options` but --shard."""
    for option in reversed(_JOB):
        if option is not _SHARD:
            function = option(function)
    return function


def area_options(function: _Function) -> _Function:
    """Adds --bbox, --bbox-crs, --mask and --mask-layer."""
    for option in reversed(_AREA):
        function = option(function)
    return function


def model_options(function: _Function) -> _Function:
    """Adds --with, --tta, --device, --seams and --dry-run."""
    for option in reversed(_MODEL):
        function = option(function)
    return function


def dem_options(function: _Function) -> _Function:
    """Adds --crs, --band, --nodata and --z-factor."""
    for option in reversed(_DEM):
        function = option(function)
    return function


def catalog_options(function: _Function) -> _Function:
    """Adds --format and --columns."""
    for option in reversed(_CATALOG):
        function = option(function)
    return function


def cog_option(function: _Function) -> _Function:
    """Adds --cog."""
    return _COG(function)


def output_options(function: _Function) -> _Function:
    """Adds --overwrite and --progress."""
    for option in reversed(_OUTPUT):
        function = option(function)
    return function


def column_mapping(text: str | None) -> dict[str, str] | None:
    """What --columns says: column of the event table -> column of the file."""
    if text is None:
        return None
    pairs = [pair.partition("=") for pair in text.split(",")]
    if not all(name.strip() and equals and found.strip() for name, equals, found in pairs):
        raise click.UsageError(
            f"--columns {text!r} is not understood: give pairs such as "
            "time=origin,longitude=x,latitude=y,magnitude=mag."
        )
    return {name.strip(): found.strip() for name, _, found in pairs}


def moment(text: str | None, flag: str) -> datetime | None:
    """The time that a flag such as --start names; UTC where it names no zone."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.UsageError(
            f"{flag} {text!r} is no time: give a date such as 2020-01-31 or 2020-01-31T12:00:00."
        ) from None


def effort(tile: int | None, threads: int | None, memory: str | None) -> Effort:
    """What --tile, --threads and --memory ask for."""
    return Effort(threads=threads, tile=tile, memory_bytes=parse_bytes(memory) if memory else None)


def running(options: Mapping[str, Any]) -> Running:
    """What the flags of `job_options` ask for."""
    from geotools.engine.run import Running

    scheduler = options["scheduler"]
    if scheduler is not None and options["executor"] is not None:
        raise click.UsageError("--scheduler runs the units itself: leave --executor out.")
    if options["workers"] is not None and not (
        options["executor"] == "processes" or scheduler == "local"
    ):
        raise click.UsageError(
            "--workers are processes: give --executor processes or --scheduler local, or --threads."
        )
    shard = options.get("shard")
    if options["job"] is None and shard is not None:
        raise click.UsageError("A shard needs a folder for its parts: give --job FOLDER.")
    if options["job"] is None and scheduler not in (None, "local"):
        raise click.UsageError("--scheduler needs a folder that its workers share: --job FOLDER.")
    return Running(
        executor=options["executor"] or "threads",
        unit_cells=options["unit"],
        folder=None if options["job"] is None else Path(options["job"]),
        workers=options["workers"],
        unit_limit_s=options["unit_limit"],
        shard=_shard(shard),
        scheduler=scheduler,
        insecure=options["insecure_scheduler"],
    )


def _shard(text: str | None) -> Shard | None:
    from geotools.engine.execute import Shard
    from geotools.errors import GeotoolsError

    if text is None:
        return None
    try:
        number, count = (int(part) for part in text.split("/"))
        return Shard(number, count)
    except (ValueError, GeotoolsError):
        raise click.UsageError(
            f"--shard {text!r} is not understood: give 1/4, 2/4, 3/4 and 4/4 to four runs."
        ) from None


def say_shard(report: Report, shard: Outcome, job: str, seconds: float) -> None:
    """Tells what a run with --shard has done."""
    report.result(
        f"{shard.units} units of the job in {job} are done, {shard.found} of them before; when all "
        f"shards are, geotools merge {job} writes the outputs. {seconds:.1f} s",
        {"job": job, "units": shard.units, "found": shard.found, "seconds": round(seconds, 3)},
    )


def say_preflight(report: Report, found: Preflight) -> None:
    """Tells what a run would take."""
    for sentence in found.warnings:
        report.warning(sentence)
    report.result("\n".join(found.lines()), {"preflight": found.as_dict()})


def say_seams(seams: Seams | None, *, asked: bool) -> str:
    """What was measured of seams, to be appended to a result."""
    if not asked:
        return ""
    nowhere = "seams: no tiles meet on valid cells, or each of them is one cell of the map"
    return f"\n{nowhere if seams is None else seams.sentence}"


def area(options: Mapping[str, Any]) -> AreaOptions | None:
    """What the flags of `area_options` ask for."""
    from geotools.maps import AreaOptions

    for flag, other in (("bbox_crs", "bbox"), ("mask_layer", "mask")):
        if options[flag] is not None and options[other] is None:
            raise click.UsageError(f"--{flag.replace('_', '-')} belongs to --{other}.")
    text, bounds = options["bbox"], None
    if text is not None:
        try:
            left, bottom, right, top = (float(part) for part in text.split(","))
        except ValueError:
            raise click.UsageError(
                f"--bbox {text!r} is not understood: give LEFT,BOTTOM,RIGHT,TOP, four numbers in "
                "the CRS of the raster or of --bbox-crs."
            ) from None
        bounds = left, bottom, right, top
    if bounds is None and options["mask"] is None:
        return None
    return AreaOptions(bounds, options["bbox_crs"], options["mask"], options["mask_layer"])


_COG = click.option("--cog", is_flag=True, help="Write cloud-optimised GeoTIFFs.")

_OUTPUT = (
    click.option("--overwrite", is_flag=True, help="Replace outputs that exist."),
    click.option(
        "--progress",
        type=click.Choice(["auto", "plain", "json", "none"]),
        default="auto",
        show_default=True,
        help="How to tell of progress.",
    ),
)

_RUN = (
    click.option("--tile", type=int, metavar="N", help="Cells on a side of a tile."),
    click.option("--threads", type=int, metavar="N", help="Tiles at the same time [all cores]."),
    click.option(
        "--memory",
        metavar="SIZE",
        help="Memory for tiles, such as 2G; polygons take more.",
    ),
    *_OUTPUT,
)

_AREA = (
    click.option(
        "--bbox",
        metavar="LEFT,BOTTOM,RIGHT,TOP",
        help="Map only the cells that this rectangle touches, in the CRS of the raster.",
    ),
    click.option("--bbox-crs", metavar="CRS", help="CRS of --bbox, such as EPSG:4326."),
    click.option(
        "--mask",
        metavar="FILE",
        help="Map only cells whose centre lies in a polygon of this vector file.",
    ),
    click.option("--mask-layer", metavar="NAME", help="Layer of --mask, where it has several."),
)

_MODEL = (
    click.option(
        "--with",
        "others",
        multiple=True,
        metavar="MODEL.onnx",
        help="Map the mean of this model and MODEL; may be given again.",
    ),
    click.option(
        "--tta", is_flag=True, help="Map the mean over the raster turned and mirrored: 8 x slower."
    ),
    click.option(
        "--device",
        default="auto",
        show_default=True,
        metavar="NAME",
        help="Where the model runs: auto, cpu, cuda, coreml, directml, openvino, …",
    ),
    click.option("--seams", is_flag=True, help="Measure whether the map shows where tiles meet."),
    click.option(
        "--dry-run", is_flag=True, help="Only say what it would take, and whether inputs suit."
    ),
)

_SHARD = click.option(
    "--shard",
    metavar="I/N",
    help="Run the I-th of N shares of the units, into --job; geotools merge joins them.",
)

_JOB = (
    click.option(
        "--executor",
        type=click.Choice(["threads", "processes", "serial"]),
        help="What runs the units of a model's job; processes survive what kills one [threads].",
    ),
    click.option("--workers", type=int, metavar="N", help="Worker processes [all cores]."),
    click.option("--unit", type=int, metavar="N", help="Cells on a side of a unit [2048 or less]."),
    click.option(
        "--unit-limit",
        type=float,
        metavar="S",
        help="Seconds that a unit may take in a worker process [20 times the usual, 300 or more].",
    ),
    click.option(
        "--job",
        metavar="FOLDER",
        help="Where unfinished work lies, also when it is cancelled [hidden beside the output].",
    ),
    _SHARD,
    click.option(
        "--scheduler",
        metavar="ADDRESS",
        help="Run the units by a Dask scheduler such as tls://10.0.0.5:8786; local: by one here.",
    ),
    click.option(
        "--insecure-scheduler",
        is_flag=True,
        help="Use a scheduler on another machine without TLS; whoever reaches it can run code.",
    ),
)

_DEM = (
    click.option("--crs", metavar="CRS", help="CRS of the DEM, such as EPSG:32633."),
    click.option("--band", type=int, metavar="N", help="Band that holds the elevation."),
    click.option("--nodata", type=float, metavar="VALUE", help="Value of missing cells."),
    click.option(
        "--z-factor",
        type=float,
        metavar="F",
        help="Metres in a unit of elevation, 0.3048 for feet [from the file, else 1].",
    ),
)

_CATALOG = (
    click.option("--format", metavar="NAME", help="Format of the catalog [recognised]."),
    click.option(
        "--columns",
        metavar="NAME=COLUMN,…",
        help="Columns of any other table, such as time=origin,longitude=x,latitude=y.",
    ),
)
