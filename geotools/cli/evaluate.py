"""geotools evaluate: how good forecasts are, measured against baselines."""

from __future__ import annotations

from typing import Any

import click

from geotools.cli.options import catalog_options, column_mapping, moment, output_options
from geotools.cli.reporting import reporting

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
