"""make_net: the learners that PyTorch fits, behind the protocol of all learners.

What differs between them is in `kinds`; nets, loop and batches have their own files.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from geotools.errors import LabelsError
from geotools.evaluation import metrics
from geotools.training.learners.batches import Feed
from geotools.training.learners.checkpoint import Checkpoint, digest_of
from geotools.training.learners.fitted import FittedNet
from geotools.training.learners.kinds import Kind, make_kind
from geotools.training.learners.loop import Plan, Validation, reproducible, run
from geotools.training.learners.losses import (
    Loss,
    balanced_weights,
    make_loss,
    named_weights,
)
from geotools.training.learners.protocol import Epoch, Fitted, Material
from geotools.training.learners.settings import NetSettings
from geotools.training.learners.standardise import Scaling, Standardise, measure
from geotools.training.learners.start import Net, groups_of, read_weights, take_weights
from geotools.training.sections import AugmentConfig

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["NetLearner", "make_net"]

_SOME = 50_000
"""Cells from which the scale of features is taken."""

_RARE = 0.2
"""Share of the cells below which cross-entropy alone would rather miss a class than overlap it: on
buildings of 4 % of a scene IoU was .15 without Dice and .27 with it (two rounds); on glaciers of
half a scene it was no better."""


def make_net(
    settings: NetSettings, *, task: str, balanced: bool, augment: AugmentConfig, metric: str
) -> NetLearner:
    """The learner of these settings.

    Args:
        settings: of a net.
        task: `classification` or `regression`.
        balanced: rare classes weigh more.
        augment: how tiles are varied.
        metric: the score of the curve.
    """
    return NetLearner(settings, task, balanced, augment, metric)


class NetLearner:
    """A learner that PyTorch fits."""

    def __init__(
        self,
        settings: NetSettings,
        task: str,
        balanced: bool,
        augment: AugmentConfig,
        metric: str,
    ) -> None:
        self.name = settings.name
        self._settings, self._task, self._balanced = settings, task, balanced
        self._augment, self._metric = augment, metric

    def fit(
        self,
        material: Material,
        train: NDArray[np.intp],
        validation: NDArray[np.intp] | None,
        *,
        seed: int,
        epochs: int | None = None,
        checkpoint: Path | None = None,
        progress: Callable[[Epoch], None] | None = None,
        like: Fitted | None = None,
    ) -> FittedNet:
        """See `Learner`; nets search for nothing beforehand.

        Raises:
            ConfigError: the settings do not go with the material.
            LabelsError: no cell to learn from.
            ModelError: the loss is no longer a number.
        """
        settings = self._settings
        if not len(train):
            raise LabelsError(f"{self.name} has no cell to learn from: label more.")
        kind = make_kind(settings, material)
        targets, mean, scale = self._targets(material, train)
        loss = self._loss(material, targets[train])
        rows = kind.shaped(material.rows(train[:: -(-len(train) // _SOME)]))
        scaling = measure(rows)
        device, notes = _device(settings.device)

        # The layers of single cells are so small that two threads wait for each other.
        threads = None if settings.sees == "window" else 1
        with reproducible(seed, device, threads=threads):
            nets, taken, said = self._nets(kind, material, scaling, seed)
            notes += said
            rates = groups_of(nets, taken, rate=settings.learning_rate, freeze=settings.freeze)
            # oneDNN's convolutions are fastest with the channels of a cell side by side.
            nets.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
            rng = np.random.default_rng([seed, 0])
            feed = kind.feed(
                material, train, targets, scaling=scaling, augment=self._augment, rng=rng
            )
            look = self._validation(feed, validation, targets, mean, scale, rng)
            state = digest_of(
                [
                    dataclasses.asdict(settings), dataclasses.asdict(self._augment), self.name,
                    self._task, self._balanced, self._metric, seed, epochs, device.type,
                    torch.__version__, material.features, material.classes,
                    sorted(material.categories.items()), notes,
                ],
                [
                    train, targets[train], scaling.mean, scaling.scale, rows,
                    np.zeros(0) if validation is None else validation,
                    np.zeros(0) if validation is None else targets[validation],
                ],
            )  # fmt: skip
            curve, best = run(
                nets, feed, loss,
                Plan(
                    epochs=epochs or settings.epochs,
                    patience=None if look is None else settings.patience,
                    weight_decay=settings.weight_decay,
                    device=device,
                ),
                rates,
                seed=seed, validation=look, checkpoint=Checkpoint(checkpoint, state),
                progress=progress,
            )  # fmt: skip
        nets.to("cpu", memory_format=torch.contiguous_format)  # type: ignore[call-overload]
        facts = {
            "learner": self.name,
            "parameters": sum(parameter.numel() for parameter in nets[0].parameters()),
            "members": len(nets),
            "best_epoch": best,
            "epochs": len(curve),
            "device": device.type,
            "halo": kind.halo,
        }
        if notes:
            facts["notes"] = notes
        return FittedNet(
            nets=nets, kind=kind, curve=curve, facts=facts, mean=mean,
            scale=scale if self._task == "regression" else None,
        )  # fmt: skip

    def _targets(
        self, material: Material, train: NDArray[np.intp]
    ) -> tuple[NDArray[Any], float, float]:
        """What is learned, of all cells: classes, or values less their mean over their deviation;
        and these two.
        """
        if self._task == "classification":
            return material.cells.target.astype(np.int64), 0.0, 1.0
        values = material.cells.target.astype(np.float64)
        mean, scale = float(values[train].mean()), float(values[train].std())
        if not np.isfinite(mean + scale):
            raise LabelsError("Values to learn are not all finite: leave those labels out.")
        scale = scale or 1.0
        return ((values - mean) / scale).astype(np.float32), mean, scale

    def _loss(self, material: Material, target: NDArray[Any]) -> Loss:
        settings, classes = self._settings, material.classes
        if self._task == "regression":
            return make_loss(settings.loss, classes=0)
        weights = None
        if settings.weights is not None:
            weights = named_weights(settings.weights, classes)
        elif self._balanced:
            alike = settings.class_weights == "balanced" or self._metric == "balanced_accuracy"
            weights = balanced_weights(target, len(classes), power=1.0 if alike else 0.5)
        loss = settings.loss
        counts = np.bincount(target, minlength=len(classes))
        if (
            loss == "auto" and self.name == "unet" and self._metric == "iou"
            and counts.min() < _RARE * len(target)
        ):  # fmt: skip
            loss = "cross-entropy+dice"  # what is judged is an overlap, so is Dice
        return make_loss(loss, classes=len(classes), weights=weights)

    def _nets(
        self, kind: Kind, material: Material, scaling: Scaling, seed: int
    ) -> tuple[nn.ModuleList, set[str], list[str]]:
        """The nets at their start, the parameters that know something, and sentences about it."""
        settings = self._settings
        outputs = len(material.classes) if self._task == "classification" else 1
        nets = []
        for number in range(settings.members):
            torch.manual_seed(seed + number)
            standardise = Standardise(scaling, kind.categories)
            terrain = kind.terrain()
            channels = standardise.channels + (terrain.channels if terrain else 0)
            body = kind.body(channels, outputs)
            nets.append(
                Net(
                    standardise,
                    body,
                    terrain=terrain,
                    elevation=kind.elevation,
                    by_date=bool(kind.steps),
                    steps=kind.steps if kind.makes_steps else (),
                )
            )
        taken: set[str] = set()
        notes = []
        if kind.backbone is not None:
            taken = {name for name, _ in nets[0].named_parameters() if name.startswith("terrain.")}
        elif settings.init is not None:
            state = read_weights(settings.init, self.name)
            taken, sentence = take_weights(nets, state, material.features, settings.init)
            notes.append(sentence)
        return nn.ModuleList(nets), taken, notes

    def _validation(
        self,
        feed: Feed,
        index: NDArray[np.intp] | None,
        targets: NDArray[Any],
        mean: float,
        scale: float,
        rng: np.random.Generator,
    ) -> Validation | None:
        """The cells that decide when to stop; None without any."""
        if index is None or not len(index):
            return None
        index = feed.some(index, rng)
        classes = self._task == "classification"

        def score(out: NDArray[np.float32], target: NDArray[Any]) -> float:
            if classes:
                return metrics.score(self._metric, target, out.argmax(1), classes=out.shape[1])
            truth, found = (
                array.astype(np.float64) * scale + mean for array in (target, out[:, 0])
            )
            return metrics.score(self._metric, truth, found)

        return Validation(index, torch.from_numpy(targets[index]), score)


def _device(name: str) -> tuple[torch.device, list[str]]:
    """Where to compute, and a sentence where that is not what was asked for."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": _has_mps()}
    if name == "auto":
        return torch.device(next(one for one in ("cuda", "mps", "cpu") if there[one])), []
    if there[name]:
        return torch.device(name), []
    return torch.device("cpu"), [f"PyTorch finds no {name} device here: the CPU was used."]


def _has_mps() -> bool:
    return bool(torch.backends.mps.is_available())
