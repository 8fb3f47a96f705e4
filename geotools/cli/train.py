"""geotools train: from labels to a model with an honest score."""

from __future__ import annotations

import os
from typing import Any

import click

from geotools.cli.options import output_options
from geotools.cli.reporting import reporting

__all__ = ["command"]

# Trees and nets bring their own threads; those of numpy's linear algebra would come on top.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
# Theirs spin while they wait for each other: beside other work on the same cores, small nets took
# four times the CPU time so.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


@click.command("train")
@click.argument("config", metavar="CONFIG.toml")
@click.option("-o", "--output", required=True, metavar="RUN", help="Folder for all that is made.")
@click.option("--data", metavar="DIR", help="Where the paths in CONFIG begin [CONFIG's folder].")
@click.option(
    "--seed", type=click.IntRange(0, 2**31 - 1), metavar="N", help="Of all that is drawn."
)
@click.option(
    "--learner",
    metavar="NAME",
    help="Another learner than CONFIG's, as it is by default: auto, forest, boosting, logistic, "
    "svm, dense, cnn, unet, gru, tcn.",
)
@click.option("--init", metavar="MODEL", help="Start a net from landforms-v1, or from another RUN.")
@click.option("--threads", type=click.IntRange(1, 1024), metavar="N", help="[all cores]")
@output_options
def command(config: str, output: str, progress: str, **options: Any) -> None:
    """Learn what CONFIG says, from your own labels, and write the model to the folder RUN.

    RUN gets model.onnx, which geotools predict maps with; report.html, evaluation.json and card.md,
    which say how good it is; split.gpkg, which shows what was kept apart; model.stac.json. A run
    that was stopped goes on where it was when the same command is given again.
    """
    from geotools.maps.train import train

    with reporting(progress) as report:
        made = train(
            config,
            output,
            data=options["data"],
            seed=options["seed"],
            learner=options["learner"],
            init=options["init"],
            threads=options["threads"],
            overwrite=options["overwrite"],
            progress=report.step,
            warn=report.warning,
        )
        report.result(
            made.sentence,
            {"outputs": [str(path) for path in made.paths], **made.evaluation},
        )
