"""Fitting rates by the likelihood of a Poisson process; the factors of a B + b E, then a network.

The loop is the same for every network that gives a rate; when to stop is decided on years that
follow those that are fitted.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from geotools.training.seismicity.data import CellWindows
from geotools.training.seismicity.nets import Calibration

__all__ = [
    "Batch",
    "FitConfig",
    "batch_of",
    "calibrated",
    "dispersion",
    "factors",
    "fit",
    "mean_loss",
]

_NEWTON_STEPS = 60


@dataclass(frozen=True, slots=True)
class FitConfig:
    """Settings of a fit."""

    epochs: int = 10
    """Passes over the rows, at most."""
    patience: int = 4
    """Passes without a better loss on the years that follow, before the fit ends."""
    rows: int = 4096
    """Rows of a step."""
    rate: float = 1e-3
    """Learning rate of Adam at the start; it falls to nothing along half a cosine."""
    decay: float = 0.1
    """Decoupled weight decay."""
    seed: int = 0
    """Of the order of the rows; the network's own numbers come from torch's generator."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Rows as tensors."""

    features: Tensor
    """(rows, features) float32."""
    horizon: Tensor
    """(rows,) float32."""
    count: Tensor
    """(rows,) float32 events."""
    weight: Tensor
    """(rows,) float32 cell-windows that a row stands for."""
    scale: Tensor
    """(rows,) float32: 1 / events of the row's horizon, so that horizons weigh the same."""

    def __len__(self) -> int:
        return len(self.count)


def batch_of(windows: CellWindows) -> Batch:
    """All rows as tensors."""
    scale = np.ones(len(windows))
    for horizon in np.unique(windows.horizon):
        rows = windows.horizon == horizon
        scale[rows] = 1.0 / max(windows.count[rows].sum(), 1.0)
    numbers = (windows.features, windows.horizon, windows.count, windows.weight, scale)
    return Batch(*(torch.from_numpy(np.ascontiguousarray(n, dtype=np.float32)) for n in numbers))


def factors(
    background: NDArray[np.float64],
    triggered: NDArray[np.float64],
    count: NDArray[np.float64],
    background_total: float,
    triggered_total: float,
) -> tuple[float, float]:
    """Factors a and b of the rate a B + b E, of largest Poisson likelihood.

    Fixed-point steps of expectation and maximisation: the events are shared out between the two
    parts, and each factor is its share over its total. Both stay positive.

    Args:
        background, triggered: (rows,) B and E of the cell-windows with events.
        count: (rows,) their events.
        background_total, triggered_total: sums over all cell-windows.
    """
    a = b = 1.0
    for _ in range(_NEWTON_STEPS * 10):
        from_background = a * background / (a * background + b * triggered)
        new_a = float((count * from_background).sum()) / background_total
        new_b = float((count * (1.0 - from_background)).sum()) / triggered_total
        done = abs(new_a - a) + abs(new_b - b) < 1e-10
        a, b = max(new_a, 1e-6), max(new_b, 1e-6)
        if done:
            break
    return a, b


def calibrated(windows: CellWindows, horizon_days: float) -> Calibration:
    """The factors at one horizon; totals from the drawn rows."""
    rows = windows.at(windows.horizon == np.float32(horizon_days))
    held = rows.count > 0
    results: list[float] = []
    for triggering in (rows.with_secondaries, rows.triggered):
        results += factors(
            rows.background[held],
            triggering[held],
            rows.count[held],
            float((rows.weight * rows.background).sum()),
            float((rows.weight * triggering).sum()),
        )
    return Calibration(horizon_days, *results)


def dispersion(counts: NDArray[np.float64], expected: NDArray[np.float64]) -> float:
    """Variance of numbers beyond Poisson's as a share of the squared mean, by largest likelihood.

    The numbers are negative binomial around what is expected, as Kagan (2010) finds for catalogs
    with aftershocks.

    Args:
        counts: (windows,) events.
        expected: (windows,) their expectation.
    """
    from scipy.optimize import minimize_scalar
    from scipy.special import gammaln

    def loss(log_share: float) -> float:
        size = np.exp(-log_share)
        terms = gammaln(counts + size) - gammaln(size)
        terms -= size * np.log1p(expected / size) + counts * np.log1p(size / expected)
        return -float(terms.sum())

    return float(np.exp(minimize_scalar(loss, bounds=(-12.0, 5.0), method="bounded").x))


def fit(
    net: nn.Module,
    fitted: Batch,
    followed: Batch | None,
    config: FitConfig,
    *,
    progress: Callable[[int, float], None] | None = None,
) -> int:
    """Fits the net in place and gives the number of passes that were best.

    Args:
        net: from features and horizon to rates, both (rows,).
        fitted: rows to learn from.
        followed: rows of later years that say when to stop; without them all passes are made and
            the last is kept.
        config: settings.
        progress: told each pass and its loss on `followed` (on `fitted` without them).
    """
    generator = torch.Generator().manual_seed(config.seed)
    optimiser = torch.optim.AdamW(net.parameters(), lr=config.rate, weight_decay=config.decay)
    steps = -(-len(fitted) // config.rows)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, config.epochs * steps)
    best, best_epoch, kept = np.inf, 0, copy.deepcopy(net.state_dict())
    if followed is not None:
        best = mean_loss(net, followed)
    for epoch in range(1, config.epochs + 1):
        net.train()
        order = torch.randperm(len(fitted), generator=generator)
        for first in range(0, len(fitted), config.rows):
            rows = order[first : first + config.rows]
            optimiser.zero_grad()
            loss = _loss(net, fitted, rows) * (len(fitted) / len(rows))
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(net.parameters(), 5.0)
            optimiser.step()
            schedule.step()
        if followed is None:
            best_epoch = epoch
            if progress:
                progress(epoch, float(loss))
            continue
        value = mean_loss(net, followed)
        if progress:
            progress(epoch, value)
        if value < best:
            best, best_epoch, kept = value, epoch, copy.deepcopy(net.state_dict())
        elif epoch - best_epoch >= config.patience:
            break
    if followed is not None:
        net.load_state_dict(kept)
    net.eval()
    return best_epoch


def mean_loss(net: nn.Module, batch: Batch) -> float:
    """Negative log-likelihood per event, summed over the horizons."""
    net.eval()
    total = 0.0
    with torch.no_grad():
        for first in range(0, len(batch), 65536):
            rows = torch.arange(first, min(first + 65536, len(batch)))
            total += float(_loss(net, batch, rows))
    return total


def _loss(net: nn.Module, batch: Batch, rows: Tensor) -> Tensor:
    rate: Tensor = net(batch.features[rows], batch.horizon[rows])
    likelihood = batch.count[rows] * torch.log(rate.clamp_min(1e-30)) - batch.weight[rows] * rate
    return -(batch.scale[rows] * likelihood).sum()
