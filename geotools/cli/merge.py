"""geotools merge: the outputs of a job that ran in shards."""

from __future__ import annotations

import os

import click

from geotools.cli.options import effort, output_options
from geotools.cli.reporting import reporting

__all__ = ["command"]

# numpy's linear algebra, of which there is none here, starts threads that spin for a while.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


@click.command("merge")
@click.argument("folder")
@click.option("--threads", type=int, metavar="N", help="Parts read at the same time [all cores].")
@output_options
def command(folder: str, threads: int | None, overwrite: bool, progress: str) -> None:
    """Write the outputs of the job in FOLDER, whose units were run with --shard.

    They are where the shards were told, and the same that one run would have written, byte for
    byte; FOLDER is removed. While units are missing nothing is written.
    """
    from geotools.maps.merge import merge_job

    with reporting(progress) as report:
        made = merge_job(
            folder,
            effort=effort(None, threads, None),
            overwrite=overwrite,
            progress=report.step,
            warn=report.warning,
        )
        outputs = [str(path) for path in made.outputs]
        report.result(
            f"{' and '.join(outputs)}: by {made.model}, {made.seconds:.1f} s",
            {
                "outputs": outputs,
                "model": made.model,
                "area_m2": dict(made.area_m2),
                "seconds": round(made.seconds, 3),
            },
        )
