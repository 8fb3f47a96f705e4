"""The figures of a forecast report, each as a data URI; matplotlib, imported late."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.evaluation.drawing import COLOURS, DASHES, drawn, plain
from geotools.evaluation.record import Record

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

__all__ = ["gain_figure", "map_figure", "molchan_figure", "number_figure", "reliability_figure"]

_MOST_POINTS = 1500
"""Points of a line; more cannot be seen."""


def map_figure(record: Record, name: str) -> str:
    """The expected numbers of the whole run by cell, with the events that were observed."""
    from matplotlib.colors import LogNorm

    values = record.map(record.names[0])
    left, bottom, right, top = record.grid.bounds
    aspect = 1 / max(np.cos(np.radians((bottom + top) / 2)), 0.2)
    height = float(np.clip(8.5 * (top - bottom) / (right - left) * aspect, 3.0, 8.5))
    with drawn(8.5, height) as (figure, render):
        axes = figure.add_subplot()
        axes.grid(False)
        positive = values[np.isfinite(values) & (values > 0)]
        low, high = np.percentile(positive, [5, 100]) if positive.size else (1e-3, 1.0)
        shown = np.where(values > 0, values, np.nan)
        image = axes.imshow(
            shown,
            extent=(left, right, bottom, top),
            norm=LogNorm(max(low, high * 1e-6), max(high, low * 1.0001)),
            cmap="cividis",
            interpolation="nearest",
            aspect=aspect,
        )
        figure.colorbar(image, ax=axes, shrink=0.75, label=f"expected number, {plain(name)}")
        longitude, latitude, magnitude = record.event_places.T
        turns = left + (longitude - left) % 360
        size = 3.0 * 3.0 ** (magnitude - record.magnitudes[0])
        words = f"{len(turns):,} observed events, larger for larger magnitude"
        for colour, width, label in (("white", 1.6, None), ("black", 0.6, words)):
            axes.scatter(  # black in white shows on any colour
                turns,
                latitude,
                s=size,
                facecolors="none",
                edgecolors=colour,
                linewidths=width,
                label=label,
            )
        axes.set_xlabel("longitude, degrees")
        axes.set_ylabel("latitude, degrees")
        axes.set_xlim(left, right)
        axes.set_ylim(bottom, top)
        figure.legend(loc="outside upper left")
        return render("png")


def gain_figure(record: Record, labels: Mapping[str, str]) -> str:
    """Nats gained by the model since the beginning, over each baseline."""
    model, *baselines = record.names
    ends = np.array([end.replace(tzinfo=None) for end in record.ends], "datetime64[s]")
    with drawn(8.5, 3.8) as (figure, render):
        axes = figure.add_subplot()
        axes.axhline(0, color="#555555", linewidth=0.8)
        for number, baseline in enumerate(baselines):
            gained = record.cumulative_gain(model, baseline)
            axes.plot(
                *_thinned(ends, np.where(np.isfinite(gained), gained, np.nan)),
                label=f"over {plain(labels[baseline])}",
                **_line(number + 1),
            )
        axes.set_ylabel(f"cumulative gain of {plain(labels[model])}, nats")
        if baselines:
            axes.legend()
        return render("svg")


def number_figure(
    record: Record,
    labels: Mapping[str, str],
    interval: Callable[[NDArray[np.float64]], tuple[NDArray[Any], NDArray[Any]]],
) -> str:
    """Observed and expected numbers month by month; by years when there are very many months.

    Args:
        record: the run.
        labels: what the forecasts are called.
        interval: from expected numbers to the ends of their 95 % interval.
    """
    months = record.months
    years = len(np.unique(months)) > 180
    first = months // 12 * 12 if years else months
    periods, place = np.unique(first, return_inverse=True)
    at = (periods - 1970 * 12).astype("datetime64[M]").astype("datetime64[D]")
    observed = np.bincount(place, record.observed)
    with drawn(8.5, 3.6) as (figure, render):
        axes = figure.add_subplot()
        width = np.timedelta64(300 if years else 25, "D")
        half = np.timedelta64(180 if years else 15, "D")
        axes.bar(at + half, observed, width=width, color="#c9c9c9", label="observed")
        for number, name in enumerate(record.names):
            expected = np.bincount(place, record.totals[name]).astype(np.float64)
            axes.plot(
                at + half,
                expected,
                label=plain(labels[name]),
                marker="." if len(at) < 40 else "",
                **_line(number),
            )
            if number == 0:
                low, high = interval(expected)
                axes.fill_between(at + half, low, high, color=COLOURS[0], alpha=0.18, lw=0)
        axes.set_ylim(bottom=0)
        axes.set_ylabel(f"events per {'year' if years else 'month'}")
        axes.legend(ncols=2)
        return render("svg")


def reliability_figure(record: Record, labels: Mapping[str, str]) -> str:
    """How often cells had an event, against the probability they were given."""
    model, *baselines = record.names
    best = ["etas"] if "etas" in baselines else baselines[-1:]  # more would hide one another
    chosen = [model, *best]
    with drawn(5.2, 4.4) as (figure, render):
        axes = figure.add_subplot()
        axes.set_xscale("log")
        axes.set_yscale("log")
        lowest = 1.0
        for number, name in enumerate(chosen):
            table = record.reliability[name]
            seen = (table.hits > 0) & (table.mean > 0)
            share, ends = table.observed[seen], table.interval[seen]
            axes.errorbar(
                table.mean[seen] * (1 + 0.04 * number),  # beside one another
                share,
                yerr=np.abs(ends.T - share),
                fmt="os"[number],
                markersize=4,
                color=COLOURS[number],
                elinewidth=1,
                label=plain(labels[name]),
            )
            if seen.any():
                lowest = min(lowest, float(ends.min()), float(table.mean[seen].min()))
        span = max(lowest / 2, 1e-9), 1.0
        axes.plot(span, span, color="#555555", linewidth=0.8, label="what was said happens")
        axes.set_xlim(span)
        axes.set_ylim(span)
        axes.set_xlabel("probability of any event in a cell and window")
        axes.set_ylabel("share of them that had one")
        axes.legend(loc="upper left")
        return render("svg")


def molchan_figure(record: Record, labels: Mapping[str, str]) -> str:
    """The miss rate against the share of space and time under alarm, for each reference."""
    with drawn(8.5, 4.2) as (figure, render):
        count = max(len(record.references), 1)
        for panel, reference in enumerate(record.references):
            axes: Axes = figure.add_subplot(1, count, panel + 1)
            for number, name in enumerate(record.names):
                found = record.molchan(name, reference)
                keep = np.unique(
                    np.linspace(0, len(found.share) - 1, _MOST_POINTS).astype(np.int64)
                )
                if len(record.event_days):
                    axes.plot(
                        found.share[keep],
                        found.miss[keep],
                        label=plain(labels[name]),
                        **_line(number),
                    )
            axes.plot([0, 1], [1, 0], color="#555555", linewidth=0.8, label="no skill")
            axes.set_xlim(0, 1)
            axes.set_ylim(0, 1)
            axes.set_xlabel(f"share under alarm, by {plain(labels[reference])}")
            if not panel:
                axes.set_ylabel("share of events missed")
                axes.legend(loc="upper right")
        return render("svg")


def _line(number: int) -> dict[str, Any]:
    return {
        "color": COLOURS[number % len(COLOURS)],
        "linestyle": DASHES[number % len(DASHES)],
        "linewidth": 1.6 if number == 0 else 1.2,
    }


def _thinned(x: NDArray[Any], y: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    keep = np.unique(np.linspace(0, len(x) - 1, _MOST_POINTS).astype(np.int64))
    return x[keep], y[keep]
