"""geotools batch: many inputs, one report."""

from __future__ import annotations

import os
from typing import Any

import click

from geotools.cli.options import effort, run_options, running, unit_options
from geotools.cli.reporting import reporting
from geotools.errors import GeotoolsError

__all__ = ["command"]

# numpy's linear algebra, of which there is none here, starts threads that spin for a while.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@click.command("batch")
@click.argument("config", metavar="JOB.toml")
@click.option("-o", "--output", metavar="DIR", help="Folder for all that is made [JOB's].")
@click.option("--data", metavar="DIR", help="Where the paths in JOB begin [JOB's folder].")
@click.option(
    "--jobs", type=click.IntRange(1, 1024), default=1, show_default=True, metavar="N",
    help="Inputs at the same time, in processes that share the threads.",
)  # fmt: skip
@click.option("--dry-run", is_flag=True, help="List what would be done, and do nothing.")
@unit_options
@run_options
def command(config: str, progress: str, **options: Any) -> None:
    """Run one operation over many inputs, as JOB says: predict, landforms, terrain, forecast.

    What fails stops itself alone; batch.html, batch.csv and batch.json say what became of every
    input. The same command again does only what is missing. Ends with 3 when some inputs failed,
    with 1 when all did.
    """
    from geotools.batch.run import run_batch

    with reporting(progress) as report:
        made = run_batch(
            config,
            output=options["output"],
            data=options["data"],
            jobs=options["jobs"],
            effort=effort(options["tile"], options["threads"], options["memory"]),
            running=running(options),
            overwrite=options["overwrite"],
            dry_run=options["dry_run"],
            progress=report.step,
            warn=report.warning,
        )
        if not options["dry_run"] and made.exit_code == 1:
            raise GeotoolsError(f"{made.sentence}; see {made.folder / 'batch.html'}.")
        report.result(
            "\n".join([*made.lines, made.sentence]) if options["dry_run"] else made.sentence,
            made.as_values(),
        )
    raise click.exceptions.Exit(0 if options["dry_run"] else made.exit_code)
