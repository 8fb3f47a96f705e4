"""make_learner: the learner that settings name; its libraries are imported when it is made."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterator
from contextlib import contextmanager

from geotools.errors import ConfigError, MissingExtraError
from geotools.training.config import TrainConfig
from geotools.training.learners.protocol import Learner
from geotools.training.learners.settings import (
    AutoSettings,
    NetSettings,
    Settings,
    SvmSettings,
)

__all__ = ["check_extra", "is_balanced", "limited_threads", "make_learner", "title", "title_of"]

_TITLES = {
    "auto": "best of several", "forest": "random forest", "boosting": "gradient boosting",
    "logistic": "logistic regression", "svm": "support vector machine", "dense": "dense network",
    "cnn": "convolutional network", "unet": "U-Net", "gru": "recurrent network (GRU)",
    "tcn": "temporal convolutional network",
}  # fmt: skip
"""What people call each learner."""

_MOST_THREADS = 1024

_NEEDED = {"torch": "torch", "sklearn": "scikit-learn", "onnx": "onnx"}
"""Module and package of what training needs."""

_ALIKE = ("balanced_accuracy", "macro_f1")
"""Metrics that treat rare and common classes alike."""


def check_extra() -> None:
    """Nothing, when everything that training needs is installed.

    Raises:
        MissingExtraError: it is not.
    """
    for module, package in _NEEDED.items():
        if importlib.util.find_spec(module) is None:
            raise MissingExtraError(package, "train")


def title(name: str, task: str = "classification") -> str:
    """What people call the learner of that name."""
    if name == "logistic" and task == "regression":
        return "ridge regression"
    return _TITLES.get(name, name)


def title_of(settings: Settings, config: TrainConfig) -> str:
    """What people call a learner with these settings."""
    words = title(settings.name, config.task)
    if isinstance(settings, SvmSettings) and isinstance(config.learner, AutoSettings):
        words += f", strength {settings.strength:g}"
    return words


def is_balanced(settings: Settings, config: TrainConfig) -> bool:
    """True when rare classes weigh more in learning."""
    chosen = getattr(settings, "class_weights", "none")
    if config.task != "classification":
        return False
    return chosen == "balanced" or (chosen == "auto" and config.score in _ALIKE)


def make_learner(settings: Settings, config: TrainConfig) -> Learner:
    """The learner of these settings.

    Raises:
        MissingExtraError: what it needs is not installed.
    """
    check_extra()
    balanced = is_balanced(settings, config)
    if isinstance(settings, NetSettings):
        from geotools.training.learners.nets import make_net

        return make_net(
            settings, task=config.task, balanced=balanced, augment=config.augment,
            metric=config.score,
        )  # fmt: skip
    from geotools.training.learners.classic import make_classic

    return make_classic(settings, task=config.task, balanced=balanced)  # type: ignore[arg-type]


@contextmanager
def limited_threads(threads: int | None) -> Iterator[None]:
    """Keeps PyTorch and scikit-learn to so many threads meanwhile; None: as they like.

    Raises:
        ConfigError: not a number of threads.
    """
    if threads is None:
        yield
        return
    if not 1 <= threads <= _MOST_THREADS:
        raise ConfigError(f"threads is {threads}: give a whole number from 1 to {_MOST_THREADS}.")
    import torch

    # joblib, which scikit-learn runs on, asks for the second; libraries loaded later for the first.
    names = ("OMP_NUM_THREADS", "LOKY_MAX_CPU_COUNT")
    before = {name: os.environ.get(name) for name in names}
    torch_before = torch.get_num_threads()
    os.environ.update(dict.fromkeys(names, str(threads)))
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        torch.set_num_threads(torch_before)
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
