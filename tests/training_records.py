"""Records of trainings that never were, made of arrays: for the report and its tests."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from geotools.evaluation.area import area_intervals, estimate_area
from geotools.evaluation.calibration import (
    apply_temperature,
    class_reliability,
    fit_temperature,
)
from geotools.evaluation.class_rows import class_rows
from geotools.evaluation.classification import unit_confusions
from geotools.evaluation.metrics import (
    Scored,
    all_scores,
    difference_interval,
    score_with_interval,
)
from geotools.evaluation.regression import residuals
from geotools.evaluation.training_record import (
    AreaRows,
    CalibrationRecord,
    Curve,
    ImportanceRow,
    LearnerRow,
    MapPicture,
    ScatterSample,
    TrainingRecord,
)
from geotools.spec import ClassInfo

NAMES = ("water", "forest", "pasture", "bare rock", "snow and ice", "built-up")
COLOURS = ("#4A7FB5", "#2F6B3A", "#B9C96A", "#9C8B7A", "#DDEBF3", "#B5483A")


def smooth(shape: tuple[int, int], *, seed: int, waves: int = 20) -> np.ndarray:
    """(rows, cols) hills of several sizes, mean 0 and standard deviation 1."""
    rng = np.random.default_rng(seed)
    row, col = np.mgrid[: shape[0], : shape[1]]
    field = np.zeros(shape)
    for _ in range(waves):
        length = rng.uniform(20, max(shape))
        angle, phase = rng.uniform(0, 2 * np.pi, 2)
        turn = 2 * np.pi / length * (row * np.sin(angle) + col * np.cos(angle))
        field += length * np.sin(turn + phase)
    return (field - field.mean()) / field.std()


def make_class_record(
    *, shape: tuple[int, int] = (120, 160), classes: int = 6, seed: int = 0
) -> TrainingRecord:
    """Land cover of hills: blocks of 20 cells in 5 rounds, a U-Net and its baselines."""
    rng = np.random.default_rng(seed)
    fields = np.stack([smooth(shape, seed=100 + number) for number in range(classes)])
    truth = (fields * 2 + np.linspace(0.6, -0.6, classes)[:, None, None]).argmax(axis=0)

    def guess(noise: float, own: int) -> np.ndarray:
        """(classes, rows, cols) probabilities that err more with more noise."""
        wrong = np.stack([smooth(shape, seed=own + number, waves=60) for number in range(classes)])
        seen = fields * 2 + np.linspace(0.6, -0.6, classes)[:, None, None]
        score = np.exp(seen * 2 + noise * (2 * wrong + rng.normal(0, 1, seen.shape)))
        return score / score.sum(axis=0)

    ours, forest = guess(0.45, 300), guess(0.8, 500)
    row, col = np.mgrid[: shape[0], : shape[1]]
    unit = row // 20 * 1000 + col // 20
    fold = np.random.default_rng(1).permutation(5)[(row // 20 * 3 + col // 20) % 5]
    labelled = (smooth(shape, seed=9) > -0.3) & (row > 5)
    p = np.moveaxis(ours, 0, -1)[labelled]  # (n, classes)
    true, units = truth[labelled], unit[labelled]
    predicted, other = p.argmax(axis=1), forest.argmax(axis=0)[labelled]
    majority = np.full(len(true), np.bincount(true).argmax())
    infos = tuple(
        ClassInfo(n + 1, NAMES[n % 6] + ("" if n < 6 else f" {n}"), COLOURS[n % 6])
        for n in range(classes)
    )
    given = {"classes": classes, "seed": seed}
    matrices = unit_confusions(true, predicted, units, classes)
    mapped = np.bincount(ours.argmax(axis=0).ravel(), minlength=classes) * 0.0009
    by_map = np.swapaxes(matrices, 1, 2)
    temperature = fit_temperature(p[::2], true[::2])
    valid = np.hypot(row - shape[0] / 2, col - shape[1] / 2) < 0.62 * max(shape)
    epochs = np.arange(1, 41)
    return TrainingRecord(
        name="landcover_hills",
        task="classification",
        metric="macro_f1",
        learner="unet",
        learner_title="U-Net",
        split_kind="blocks",
        split_title="5 rounds of blocks of 600 m",
        seed=seed,
        score=score_with_interval("macro_f1", true, predicted, units, **given),
        baselines={
            "random forest": score_with_interval("macro_f1", true, other, units, **given),
            "majority class": score_with_interval("macro_f1", true, majority, units, **given),
        },
        differences={
            "random forest": difference_interval(
                "macro_f1", true, predicted, other, units, **given
            ),
            "majority class": difference_interval(
                "macro_f1", true, predicted, majority, units, **given
            ),
        },
        cells=len(true),
        units=len(np.unique(units)),
        unit_word="blocks",
        classes=infos,
        confusion=matrices.sum(0),
        per_class=class_rows(true, predicted, units, infos, seed=seed),
        other=all_scores("classification", true, predicted, units, **given),
        calibration=CalibrationRecord(
            temperature,
            class_reliability(p, true, units),
            class_reliability(apply_temperature(p, temperature), true, units),
        ),
        area=AreaRows(
            estimate_area(by_map.sum(0), mapped), "km²", area_intervals(by_map, mapped)
        ),
        importance=tuple(
            ImportanceRow(name, Scored(drop, (drop - 0.01, drop + 0.015)))
            for name, drop in {
                "terrain.slope": 0.113, "s2.nir": 0.208, "imagery.ndvi": 0.061, "dem": 0.012,
                "terrain.tpi@300m": -0.002,
            }.items()
        ),
        learners=(
            LearnerRow("unet", "U-Net", 0.861, 0.852, 412.0, chosen=True),
            LearnerRow("forest", "random forest", 0.823, 0.811, 7.3),
            LearnerRow("boosting", "gradient boosting", 0.819, float("nan"), 21.0),
            LearnerRow("logistic", "logistic regression", 0.702, float("nan"), 2.1),
        ),
        curves=tuple(
            Curve(
                f"round {n + 1}",
                epochs,
                1.4 * np.exp(-epochs / 9) + 0.2 + rng.normal(0, 0.012, 40),
                1.2 * np.exp(-epochs / 8) + 0.42 + 0.004 * epochs + rng.normal(0, 0.02, 40),
                0.86 - 0.5 * np.exp(-epochs / 6) + rng.normal(0, 0.008, 40),
                best=24 + 2 * n,
            )
            for n in range(5)
        ),
        maps=(
            MapPicture(
                "hills.tif",
                np.where(valid, ours.argmax(axis=0), -1),
                (500_000.0, 500_000.0 + 30 * shape[1], 4e6, 4e6 + 30 * shape[0]),
                fold=np.where(labelled, fold, -2),
                truth=np.where(labelled, truth, -1),
                tested=np.where(labelled, ours.argmax(axis=0), -1),
            ),
        ),
        parity={"largest_difference": 3.1e-6, "agreement": 1.0, "cells": 65536},
        seconds={"learning": 412.2, "all": 467.9},
        warnings=("The band thermal is constant in hills.tif: it tells nothing.",),
        settings={"features": ("dem", "terrain.slope", "s2.nir"), "loss": "cross-entropy"},
        provenance={"inputs": "hills.tif, sha256 " + "ab" * 32, "licence": "CC-BY-4.0",
                    "software": "geotools"},
    )  # fmt: skip


def make_value_record(*, shape: tuple[int, int] = (80, 110), seed: int = 0) -> TrainingRecord:
    """Depth of soil at points: a forest and the mean."""
    rng = np.random.default_rng(seed)
    field = 80 + 25 * smooth(shape, seed=3)
    found = field + 9 * smooth(shape, seed=4, waves=50) - 2
    rows, cols = rng.integers(0, shape[0], 500), rng.integers(0, shape[1], 500)
    truth = field[rows, cols] + rng.normal(0, 5, 500)
    predicted, unit = found[rows, cols], rows // 10 * 100 + cols // 10
    mean = np.full(500, truth.mean())
    at_points = np.full(shape, np.nan)
    at_points[rows, cols] = truth
    tested = np.full(shape, np.nan)
    tested[rows, cols] = predicted
    fold = np.full(shape, -2)
    fold[rows, cols] = unit % 4
    return TrainingRecord(
        name="soil_depth",
        task="regression",
        metric="rmse",
        learner="forest",
        learner_title="random forest",
        split_kind="blocks",
        split_title="4 rounds of blocks of 2 km",
        seed=seed,
        score=score_with_interval("rmse", truth, predicted, unit),
        baselines={"mean": score_with_interval("rmse", truth, mean, unit)},
        differences={"mean": difference_interval("rmse", truth, predicted, mean, unit)},
        cells=500,
        units=len(np.unique(unit)),
        other=all_scores("regression", truth, predicted, unit),
        residuals=residuals(truth, predicted, unit),
        scatter=ScatterSample(truth, predicted, "cm"),
        maps=(
            MapPicture(
                "valley.tif", found, (8.0, 8.0 + shape[1] / 1200, 46.0, 46.0 + shape[0] / 1200),
                fold=fold, truth=at_points, tested=tested, metres_per_unit=77_000.0, aspect=1.44,
            ),
        ),
    )  # fmt: skip


def renamed(record: TrainingRecord, text: str) -> TrainingRecord:
    """The record with this text wherever a text of others may stand."""
    infos = tuple(replace(info, name=text) for info in record.classes)
    return replace(
        record,
        name=text,
        split_title=text,
        classes=infos,
        per_class=tuple(
            replace(row, info=info) for row, info in zip(record.per_class, infos, strict=True)
        ),
        baselines={text: next(iter(record.baselines.values()))},
        differences={text: next(iter(record.differences.values()))},
        importance=tuple(replace(row, feature=text) for row in record.importance),
        maps=tuple(
            MapPicture(
                text, one.predicted, one.extent, one.fold, one.truth, one.tested,
                one.metres_per_unit, one.aspect,
            )
            for one in record.maps * 2
        ),
        scatter=None if record.scatter is None else ScatterSample(
            record.scatter.truth, record.scatter.predicted, text
        ),
        curves=tuple(
            Curve(text, one.epoch, one.train_loss, one.validation_loss, one.score)
            for one in record.curves
        ),
        warnings=(text,),
        settings={text: text},
        provenance={text: text},
    )  # fmt: skip
