"""The charts of a training report, each as a data URI: curves, reliability, values.

They are drawn dark on nothing; the page turns them light where it is dark.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geotools.evaluation.calibration import ClassReliability
from geotools.evaluation.drawing import COLOURS, drawn, plain
from geotools.evaluation.training_record import Curve, ScatterSample, TrainingRecord

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["curves_figure", "reliability_figure", "residuals_figure", "scatter_figure"]

_MOST_CURVES = 8
_MOST_POINTS = 3000
"""Points that are drawn one by one; more are counted in hexagons."""

_FEWEST = 10
"""Cells of a bin that is drawn."""


def curves_figure(record: TrainingRecord) -> str:
    """Loss and score by epoch, one colour a round."""
    curves = record.curves[:_MOST_CURVES]
    scored = any(np.isfinite(curve.score).any() for curve in curves)
    with drawn(8.5, 3.3, transparent=True) as (figure, render):
        loss: Axes = figure.add_subplot(1, 1 + scored, 1)
        score: Axes | None = figure.add_subplot(1, 2, 2) if scored else None
        for number, curve in enumerate(curves):
            colour = COLOURS[number % len(COLOURS)]
            loss.plot(curve.epoch, curve.train_loss, color=colour, linewidth=1, alpha=0.45)
            loss.plot(
                curve.epoch, curve.validation_loss, color=colour, linewidth=1.6,
                label=plain(curve.title),
            )  # fmt: skip
            _kept(loss, curve, curve.validation_loss, colour)
            if score is not None:
                score.plot(
                    curve.epoch, curve.score, color=colour, linewidth=1.6, label=plain(curve.title)
                )
                _kept(score, curve, curve.score, colour)
        loss.set_xlabel("epoch")
        loss.set_ylabel("loss")
        loss.set_title("loss: pale on what is learned, strong on validation", fontsize=9)
        _whole_numbers(loss)
        if score is not None:
            score.set_xlabel("epoch")
            score.set_ylabel(record.figure.title)
            score.set_title(f"{record.figure.title} on validation", fontsize=9)
            _whole_numbers(score)
        if len(curves) > 1:
            (score or loss).legend(fontsize=8)
        return render("svg")


def reliability_figure(
    before: ClassReliability, after: ClassReliability, temperature: float
) -> str:
    """How often the top class was right against its probability, with counts below."""
    with drawn(4.6, 4.6, transparent=True) as (figure, render):
        axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=(4, 1))
        axes.plot([0, 1], [0, 1], color="#777777", linewidth=0.9, linestyle=(0, (4, 3)))
        axes.text(0.07, 0.1, "what is said happens", fontsize=7.5, color="#777777", rotation=45,
                  rotation_mode="anchor")  # fmt: skip
        if temperature != 1.0:
            _reliability(axes, before, "#9a9a9a", "before", filled=False)
        word = "as they are" if temperature == 1.0 else f"with temperature {temperature:.2f}"
        _reliability(axes, after, COLOURS[0], word, filled=True)
        axes.set_ylim(0, 1)
        axes.set_xlim(0, 1)
        axes.set_ylabel("share that was right")
        axes.legend(loc="upper left", fontsize=8)
        middle = (after.edges[1:] + after.edges[:-1]) / 2
        counts.bar(middle, after.cells / max(after.cells.sum(), 1), width=0.085, color="#9bbfd8")
        counts.set_ylabel("share of cells", fontsize=8)
        counts.set_xlabel("probability of the top class")
        counts.grid(axis="x", visible=False)
        return render("svg")


def scatter_figure(sample: ScatterSample) -> str:
    """Predicted against true values."""
    truth, predicted = sample.truth, sample.predicted
    unit = f", {plain(sample.unit)}" if sample.unit else ""
    both = np.concatenate([truth, predicted])
    low, high = np.quantile(both[np.isfinite(both)], [0.001, 0.999])
    pad = (high - low) * 0.04 or 1.0
    low, high = low - pad, high + pad
    with drawn(4.6, 4.4, transparent=True) as (figure, render):
        axes = figure.add_subplot()
        if len(truth) > _MOST_POINTS:
            axes.hexbin(truth, predicted, gridsize=45, extent=(low, high, low, high), mincnt=1,
                        bins="log", cmap="Blues", linewidths=0.1)  # fmt: skip
        else:
            axes.scatter(truth, predicted, s=9, color=COLOURS[0], alpha=0.35, linewidths=0)
        axes.plot([low, high], [low, high], color="#777777", linewidth=0.9, linestyle=(0, (4, 3)))
        axes.set_xlim(low, high)
        axes.set_ylim(low, high)
        axes.set_aspect("equal")
        axes.set_xlabel(f"true{unit}")
        axes.set_ylabel(f"predicted{unit}")
        return render("svg")


def residuals_figure(sample: ScatterSample) -> str:
    """How often errors are how large."""
    error = sample.predicted - sample.truth
    unit = f", {plain(sample.unit)}" if sample.unit else ""
    reach = float(np.quantile(np.abs(error), 0.995)) or 1.0
    with drawn(4.6, 4.4, transparent=True) as (figure, render):
        axes = figure.add_subplot()
        axes.hist(np.clip(error, -reach, reach), bins=41, range=(-reach, reach), color="#9bbfd8")
        axes.axvline(0, color="#777777", linewidth=0.9, linestyle=(0, (4, 3)))
        axes.axvline(float(error.mean()), color=COLOURS[1], linewidth=1.4, label="mean")
        axes.set_xlabel(f"predicted − true{unit}")
        axes.set_ylabel("cells")
        axes.legend(fontsize=8)
        return render("svg")


def _reliability(
    axes: Axes, table: ClassReliability, colour: str, word: str, *, filled: bool
) -> None:
    seen = table.cells >= _FEWEST
    x, y = table.confidence[seen], table.accuracy[seen]
    ends = table.interval[seen]
    reach = np.where(np.isfinite(ends.T), np.abs(ends.T - y), 0.0)
    axes.errorbar(
        x, y, yerr=reach if filled else None, fmt="o-", markersize=5, color=colour,
        markerfacecolor=colour if filled else "none", linewidth=1.2, elinewidth=1.1,
        label=f"{word}: off by {table.expected_error:.3f}",
    )  # fmt: skip


def _kept(axes: Axes, curve: Curve, values: NDArray[np.float64], colour: str) -> None:
    """A dot at the epoch whose weights were kept."""
    if curve.best is None:
        return
    at = np.flatnonzero(curve.epoch == curve.best)
    if len(at) and np.isfinite(values[at[0]]):
        axes.plot(
            curve.best,
            values[at[0]],
            "o",
            color=colour,
            markersize=6,
            markeredgecolor="white",
            zorder=5,
        )


def _whole_numbers(axes: Axes) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
