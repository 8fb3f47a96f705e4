"""train: from a configuration to a run folder: model, score, report, split."""

from __future__ import annotations

import shlex
import time
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geotools.errors import ConfigError, FileError
from geotools.io.atomic import write_atomic
from geotools.maps.inputs import FilePath
from geotools.maps.run_folder import RunFolder
from geotools.stream import Progress, Step
from geotools.training.config import TrainConfig, make_config, read_config
from geotools.version import VERSION

__all__ = ["Training", "train"]


@dataclass(frozen=True, slots=True)
class Training:
    """What `train` has written."""

    folder: Path
    """The run folder."""
    paths: tuple[Path, ...]
    """The files in it."""
    evaluation: Mapping[str, Any]
    """What `evaluation.json` holds."""
    sentence: str
    """The result in a sentence."""


def train(
    config: TrainConfig | Mapping[str, Any] | FilePath,
    output: FilePath,
    *,
    data: FilePath | None = None,
    seed: int | None = None,
    learner: str | None = None,
    init: str | None = None,
    threads: int | None = None,
    overwrite: bool = False,
    progress: Progress | None = None,
    warn: Callable[[str], None] | None = None,
) -> Training:
    """Trains a model on labels and writes it with its score to a folder.

    A run that was stopped goes on where it was when the same call is made again, and gives the
    same model. Outputs get their names when all are made.

    Args:
        config: a TOML file, what one would hold, or what was read of one.
        output: the run folder; made when it does not exist.
        data: where relative paths begin; the folder of the TOML file, or the current one, if None.
        seed: instead of the configuration's.
        learner: name of another learner, as it is by default.
        init: what a net starts from: `landforms-v1`, or another run folder.
        threads: of PyTorch and scikit-learn; all cores when None.
        overwrite: replace what is in the folder.
        progress: called as the work goes on.
        warn: called with a sentence when the result deserves caution.

    Raises:
        GeotoolsError: a configuration, an input or an output that cannot be used.
    """
    from geotools.training.learners.table import check_extra, limited_threads

    start = time.monotonic()
    settled, folder, told = _settled(config, seed, learner, init)
    if data is not None and not Path(data).is_dir():
        raise FileError(f"The data folder {data} does not exist: check --data.")
    check_extra()
    warnings: list[str] = []

    def remember(sentence: str) -> None:
        warnings.append(sentence)
        if warn is not None:
            warn(sentence)

    with ExitStack() as stack:
        stack.enter_context(limited_threads(threads))
        run = stack.enter_context(RunFolder(output, settled.digest(), overwrite=overwrite))
        if run.resumed and warn is not None:
            warn(f"{run.path} holds this training, unfinished: it goes on.")
        from geotools.training.prepare import prepare

        prepared = prepare(
            settled,
            data=None if data is None else Path(data),
            folder=folder,
            stack=stack,
            progress=progress,
            warn=remember,
        )
        from geotools.evaluation.training_record import write_evaluation
        from geotools.evaluation.training_report import write_report
        from geotools.evaluation.training_words import result
        from geotools.maps.training_pictures import pictured
        from geotools.maps.training_record import finished, judged, own_init, used_settings
        from geotools.training.export.card import write_card
        from geotools.training.export.model_file import write_model
        from geotools.training.export.stac import write_stac
        from geotools.training.job import learn
        from geotools.training.splits.layer import write_split

        if earlier := own_init(settled.learner):
            remember(
                f"The net starts from {earlier}: where that training learned from these labels, it "
                "has seen the test cells and the score flatters. Start from one of other ground, "
                "or from nothing, for a score to believe."
            )
        outcome = learn(prepared, work=run.work, progress=progress, warn=remember)
        if progress is not None:
            progress(Step("judging", 0, 1))
        judgement = judged(prepared, outcome)
        if progress is not None:
            progress(Step("judging", 1, 1))
        command = _command(told, data, settled.seed if seed is not None else None, learner, init)
        model = run.work / "model.onnx"
        spec = write_model(
            outcome, prepared, model, training=_provenance(prepared, outcome, judgement, command)
        )
        maps, areas = pictured(prepared, outcome, model, warn=remember, progress=progress)
        record = finished(
            prepared, outcome, judgement, spec, maps=maps, area=areas, warnings=warnings,
            command=command, seconds=time.monotonic() - start,
        )  # fmt: skip
        body = record.to_json()
        write_split(
            run.work / "split.gpkg", prepared.split, prepared.material.cells,
            grids=prepared.material.grids, crs=prepared.crs, classes=prepared.classes,
            overwrite=True,
        )  # fmt: skip
        write_card(run.work / "card.md", spec, body, overwrite=True)
        used = used_settings(outcome.settings)
        write_stac(
            run.work / "model.stac.json", spec, model, grids=prepared.material.grids,
            hyperparameters={**spec.parameters, **used},
            derived_from=settled.links, pretrained_source=used.get("init"),
        )  # fmt: skip
        write_report(run.work / "report.html", record, overwrite=True)
        if hasattr(outcome.fitted, "write"):
            with write_atomic(run.work / "weights.pt", overwrite=True) as part:
                outcome.fitted.write(part)
        write_evaluation(run.work / "evaluation.json", record, overwrite=True)
        paths = run.finish()
    return Training(run.path, paths, body, f"{run.path / 'model.onnx'}: {result(record)}")


def _settled(
    config: TrainConfig | Mapping[str, Any] | FilePath,
    seed: int | None,
    learner: str | None,
    init: str | None,
) -> tuple[TrainConfig, Path, str]:
    """The configuration, the folder where its paths begin, and what it is called in a command."""
    if isinstance(config, (TrainConfig, Mapping)):
        settled = config if isinstance(config, TrainConfig) else make_config(config)
        folder, told = Path(), "CONFIG.toml"
    else:
        settled, folder = read_config(config), Path(config).parent
        told = Path(config).name
    changes: dict[str, Any] = {}
    if seed is not None:
        if not 0 <= seed < 2**31:
            raise ConfigError(f"seed is {seed}: give a whole number from 0 to {2**31 - 1}.")
        changes["seed"] = seed
    if learner is not None:
        changes["learner"] = make_config(
            {"name": "x", "inputs": [{"name": "x", "path": "x"}], "labels": {"path": "x"},
             "learner": {"name": learner}},
            where="--learner",
        ).learner  # fmt: skip
    settled = replace(settled, **changes)
    if init is not None:
        if not hasattr(settled.learner, "init"):
            raise ConfigError(
                f"--init starts a net, and the learner is {settled.learner.name}: give --learner "
                "unet, cnn, dense, gru or tcn."
            )
        settled = replace(settled, learner=replace(settled.learner, init=init))  # type: ignore[call-arg]
    return settled, folder, told


def _command(
    told: str, data: FilePath | None, seed: int | None, learner: str | None, init: str | None
) -> str:
    """The command that makes the same again, without folders of this machine."""
    words = ["geotools", "train", told, "-o", "RUN"]
    if data is not None:
        words += ["--data", "DIR"]
    for flag, value in (("--seed", seed), ("--learner", learner), ("--init", init)):
        if value is not None:
            words += [flag, Path(value).name if isinstance(value, str) else str(value)]
    return shlex.join(words)


def _provenance(prepared: Any, outcome: Any, judgement: Any, command: str) -> dict[str, Any]:
    """What the spec says of where the model comes from."""
    config = prepared.config
    return {
        "learner": outcome.settings.name,
        "metric": config.score,
        "score": judgement.score.value,
        "interval": list(judgement.score.interval),
        "split": prepared.split.title,
        "seed": config.seed,
        "cells": len(prepared.material.cells),
        "data": sorted({path.name for path in prepared.files}),
        "attribution": config.attribution,
        "links": list(config.links),
        "notes": list(outcome.fitted.facts.get("notes", ())),
        "command": command,
        "software": f"geotools-ml {VERSION}",
    }
