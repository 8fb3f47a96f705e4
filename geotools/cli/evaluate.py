"""geotools evaluate: how good forecasts and maps are, measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from geotools.cli.options import catalog_options, column_mapping, moment, output_options
from geotools.cli.reporting import reporting
from geotools.errors import GeotoolsError

__all__ = ["command"]


@click.group("evaluate")
def command() -> None:
    """Test what geotools makes against what happened."""


@command.command("forecast")
@click.argument("catalog")
@click.option("-o", "--output", required=True, metavar="REPORT.html", help="The report.")
@click.option("--table", metavar="OUT.csv", help="The figures too; .csv or .json.")
@click.option(
    "--model",
    metavar="MODEL.onnx",
    help="A seismicity model, or generic for none [the shipped one whose region holds the events].",
)
@click.option(
    "--start", metavar="DATE", help="First issue time, UTC [end of training, or the last fifth]."
)
@click.option("--end", metavar="DATE", help="No window reaches beyond, UTC [the last event].")
@click.option("--horizon", type=float, metavar="DAYS", help="Length of a window [the model's].")
@click.option("--step", type=float, metavar="DAYS", help="From window to window [the horizon].")
@click.option("--min-magnitude", type=float, metavar="M", help="Lowest threshold [the model's].")
@click.option(
    "--simulations", type=int, default=1000, show_default=True, metavar="N",
    help="Catalogs drawn for each consistency test.",
)  # fmt: skip
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N",
              help="Of all that is drawn.")  # fmt: skip
@catalog_options
@output_options
def forecast(catalog: str, output: str, progress: str, **options: Any) -> None:
    """Issue forecasts through the past of CATALOG and test them on what happened.

    The report holds the CSEP tests and the information gain over every baseline, with intervals
    that resample whole months.
    """
    from geotools.maps.evaluation import EvaluationPeriod, evaluate_forecast

    with reporting(progress) as report:
        made = evaluate_forecast(
            catalog,
            output,
            table=options["table"],
            model=options["model"],
            period=EvaluationPeriod(
                start=moment(options["start"], "--start"),
                end=moment(options["end"], "--end"),
                horizon_days=options["horizon"],
                step_days=options["step"],
            ),
            min_magnitude=options["min_magnitude"],
            simulations=options["simulations"],
            seed=options["seed"],
            format=options["format"],
            columns=column_mapping(options["columns"]),
            overwrite=options["overwrite"],
            progress=report.step,
            warn=report.warning,
        )
        assessment, record = made.assessment, made.assessment.record
        model = record.names[0]
        gains = [gain for gain in assessment.gains if gain.model == model]
        outputs = [str(path) for path in (made.path, made.table) if path]
        said = "; ".join(
            f"{gain.per_event:+.3f} nats per event over {gain.baseline} "
            f"({gain.month_interval[0]:.3f} to {gain.month_interval[1]:.3f})"
            for gain in gains
            if gain.events
        )
        report.result(
            f"{' and '.join(outputs)}: {int(record.observed.sum()):,} events in "
            f"{len(record.starts):,} windows, {model} expected {record.totals[model].sum():,.1f}; "
            f"{said or 'no event to compare on'}; {made.seconds:.1f} s",
            {
                "outputs": outputs,
                "forecasts": list(record.names),
                "start": record.starts[0].isoformat(),
                "end": record.ends[-1].isoformat(),
                "windows": len(record.starts),
                "events": int(record.observed.sum()),
                "expected": {name: float(record.totals[name].sum()) for name in record.names},
                "gains": {
                    gain.baseline: {
                        "nats_per_event": _finite(gain.per_event),
                        "interval_95": [_finite(end) for end in gain.month_interval],
                    }
                    for gain in gains
                },
                "left_out": dict(record.left_out),
                "notes": list(made.notes),
                "seconds": round(made.seconds, 3),
            },
        )


def _finite(value: float) -> float | None:
    """The value, None for what JSON has no number for."""
    return value if abs(value) < float("inf") else None


@command.command("map")
@click.argument("raster", metavar="MAP.tif")
@click.argument("labels", metavar="LABELS")
@click.option("-o", "--output", required=True, metavar="REPORT.html", help="The report.")
@click.option("--table", metavar="OUT.json", help="The figures too.")
@click.option("--field", metavar="NAME", help="Field of LABELS that holds the class.")
@click.option("--layer", metavar="NAME", help="Layer of LABELS, where it has several.")
@click.option("--labels-crs", metavar="CRS", help="CRS of LABELS, where it names none.")
@click.option("--class-name", metavar="NAME", help="The one class that all features are.")
@click.option("--background", metavar="NAME", help="The class of everything without a label.")
@click.option("--mask", metavar="FILE", help="Polygons of the area that counts.")
@click.option(
    "--buffer", type=float, default=0.0, metavar="M", help="Radius around points and lines."
)
@click.option("--band", type=click.IntRange(1), default=1, metavar="N", help="Band of MAP [1].")
@click.option(
    "--classes", metavar="NAME=CODE,…", help="Codes in MAP, where it does not name its classes."
)
@click.option(
    "--label-classes", metavar="NAME=CODE,…", help="Codes in LABELS, where they are a raster."
)
@click.option(
    "--metric",
    type=click.Choice(["accuracy", "balanced_accuracy", "macro_f1", "iou", "kappa"]),
    default="accuracy",
    show_default=True,
    help="The figure that is told first; the report holds all.",
)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True, metavar="N",
              help="Of all that is drawn.")  # fmt: skip
@output_options
def evaluate_a_map(raster: str, labels: str, output: str, progress: str, **options: Any) -> None:
    """Compare the class map MAP.tif with LABELS that it was not made from.

    LABELS are polygons, points or a raster. The report holds the confusion matrix, every class with
    an interval that resamples whole features, and areas with their standard errors.
    """
    from geotools.maps.evaluation_map import evaluate_map

    section = {
        "path": labels, "field": options["field"], "layer": options["layer"],
        "crs": options["labels_crs"], "class_name": options["class_name"],
        "background": options["background"], "mask": options["mask"],
        "buffer_m": options["buffer"],
        "classes": _codes(options["label_classes"], "--label-classes"),
    }  # fmt: skip
    with reporting(progress) as report, _in_words_of_flags():
        made = evaluate_map(
            raster,
            {name: value for name, value in section.items() if value is not None},
            output,
            table=options["table"],
            metric=options["metric"],
            band=options["band"],
            names=_codes(options["classes"], "--classes"),
            seed=options["seed"],
            overwrite=options["overwrite"],
            progress=report.step,
            warn=report.warning,
        )
        report.result(
            f"{made.paths[0]}: {made.sentence}",
            {"outputs": [str(path) for path in made.paths], **made.evaluation},
        )


_FLAGS = {
    "labels.crs": "--labels-crs", "labels.class_name": "--class-name", "labels.mask": "--mask",
    "labels.background": "--background", "labels.buffer_m": "--buffer", "labels.field": "--field",
    "labels.layer": "--layer", "labels.classes": "--label-classes",
    'for quantities set task = "regression"': "quantities are not compared, classes are",
}  # fmt: skip
"""Keys of a configuration, and the flags that do the same."""


@contextmanager
def _in_words_of_flags() -> Iterator[None]:
    """Errors of a configuration, said with the flags that stand for its keys."""
    try:
        yield
    except GeotoolsError as error:
        told = str(error)
        for key, flag in _FLAGS.items():
            told = told.replace(key, flag)
        if told == str(error):
            raise
        raise GeotoolsError(told) from None


def _codes(text: str | None, flag: str) -> dict[str, int] | None:
    """What --classes or --label-classes says: name -> code."""
    if text is None:
        return None
    pairs = [pair.rpartition("=") for pair in text.split(",")]
    if not all(name.strip() and equals and code.strip().isdigit() for name, equals, code in pairs):
        raise click.UsageError(f"{flag} {text!r} is not understood: give forest=1,water=2.")
    return {name.strip(): int(code) for name, _, code in pairs}
