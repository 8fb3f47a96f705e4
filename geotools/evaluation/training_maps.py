"""The maps of a training report: prediction, labels, errors and folds of each scene.

Each is a picture of the cells themselves, without a frame; legends are HTML beside it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geotools.evaluation.drawing import data_uri
from geotools.evaluation.palette_png import palette_png
from geotools.evaluation.tables import escaped
from geotools.evaluation.training_record import MapPicture, TrainingRecord
from geotools.evaluation.training_words import figure_words

__all__ = ["maps_section"]

FOLD_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#8C6BB1",
                "#B2A800", "#7F5539", "#66C2A5")  # fmt: skip
"""Okabe and Ito (2008), and four more; they begin again after the last."""

_RIGHT, _WRONG = "#8FB8A8", "#C8102E"
_LEARNED = "#5A5A5A"
_EMPTY = (128, 128, 128, 40)
"""Cells of the scene that a map says nothing of."""
_CLEAR = (0, 0, 0, 0)

_SIDES = (800, 500, 250, 120)
"""Cells on the long side of a picture; the first that keeps all pictures together small enough."""
_MOST_BYTES = 900_000
_MOST_SCENES = 4
_THIN = 0.02
"""Labels that cover less of a scene are drawn larger than they are."""
_STEPS = 64  # the bar shows every seventh, first and last among them
"""Colours of a map of values."""

Cells = NDArray[Any]
"""(rows, cols) indices of classes, or float values."""
Colour = tuple[int, int, int, int]
Panel = tuple[str, str, str]
"""Title, picture, legend."""


def maps_section(record: TrainingRecord) -> str:
    """All maps of a record as HTML; nothing without any."""
    shown = record.maps[:_MOST_SCENES]
    if not shown:
        return ""
    for side in _SIDES:
        scenes = [(picture, _panels(record, _smaller(picture, side))) for picture in shown]
        if sum(len(panel[1]) for _, panels in scenes for panel in panels) < _MOST_BYTES:
            break
    parts = [_scene(picture, panels, len(record.maps) > 1) for picture, panels in scenes]
    if len(record.maps) > len(shown):
        parts.append(f"<p>The first {len(shown)} of {len(record.maps)} scenes are shown.</p>")
    return "\n".join(parts)


def _scene(picture: MapPicture, panels: Sequence[Panel], named: bool) -> str:
    left, right, bottom, top = picture.extent
    ratio = (right - left) / max((top - bottom) * picture.aspect, 1e-12)
    ratio = float(np.clip(ratio, 0.2, 5)) if math.isfinite(ratio) else 1.0
    figures = []
    for title, uri, legend in panels:
        words = f"{title}, {picture.title}" if named else title
        figures.append(
            f'<figure class="map"><figcaption>{escaped(title)}</figcaption>'
            f'<img src="{uri}" alt="Map: {escaped(words)}" style="aspect-ratio:{ratio:.4f}">'
            f"{_scale_bar(picture)}{legend}</figure>"
        )
    head = f"<h3>{escaped(picture.title)}</h3>" if named else ""
    wide = " wide" if ratio > 2.2 else ""
    return f'{head}<div class="maps{wide}">{"".join(figures)}</div>'


def _panels(record: TrainingRecord, picture: MapPicture) -> list[Panel]:
    is_classes = bool(record.classes)
    draw = _class_panel if is_classes else _value_panel
    both = [part for part in (picture.predicted, picture.truth) if part is not None]
    span = (0.0, 1.0) if is_classes else _span(both)
    panels = [draw(record, "Predicted map", picture.predicted, span)]
    scene = picture.predicted >= 0 if is_classes else np.isfinite(picture.predicted)
    if picture.truth is not None:
        panels.append(draw(record, "Labels", _thick(picture.truth, scene), span))
        if picture.tested is not None:
            error = _class_errors if is_classes else _value_errors
            panels.append(error(picture.truth, picture.tested, scene))
    if picture.fold is not None:
        panels.append(_folds(record, picture.fold, scene))
    return panels


def _class_panel(
    record: TrainingRecord, title: str, index: Cells, span: tuple[float, float]
) -> Panel:
    colours = [_CLEAR, _EMPTY, *((*info.rgb, 255) for info in record.classes)]
    index = index.astype(np.int64)
    cells = np.where(index >= 0, index + 2, np.where(index == -2, 1, 0))
    seen = np.unique(index[index >= 0])
    legend = [(record.classes[place].color, record.classes[place].name) for place in seen]
    return title, _uri(cells, colours), _legend(legend)


def _value_panel(
    record: TrainingRecord, title: str, values: Cells, span: tuple[float, float]
) -> Panel:
    unit = record.scatter.unit if record.scatter is not None else ""
    return title, *_ramp(values, *span, "viridis", unit)


def _class_errors(truth: Cells, tested: Cells, scene: NDArray[np.bool_]) -> Panel:
    known = (truth >= 0) & (tested >= 0)
    found = np.where(known, np.where(truth == tested, 0, 1), -1)
    cells = _thick(found, scene)
    cells = np.where(cells >= 0, cells + 2, np.where(cells == -2, 1, 0))
    share = float((found == 1).sum() / max(known.sum(), 1))
    legend = _legend([(_RIGHT, "right"), (_WRONG, f"wrong, {share:.0%} of these cells")])
    colours = [_CLEAR, _EMPTY, _rgba(_RIGHT), _rgba(_WRONG)]
    return (
        "Errors in the test rounds",
        _uri(cells, colours),
        legend,
    )


def _value_errors(truth: Cells, tested: Cells, scene: NDArray[np.bool_]) -> Panel:
    error = tested - truth
    seen = np.abs(error[np.isfinite(error)])
    reach = (float(np.quantile(seen, 0.95)) or float(seen.max())) if seen.size else 0.0
    reach = reach or 1.0
    cells = _thick(error, scene)
    title = "Predicted − true in the test rounds"
    return title, *_ramp(cells, -reach, reach, "RdBu_r", "")


def _folds(record: TrainingRecord, fold: Cells, scene: NDArray[np.bool_]) -> Panel:
    drawn = _thick(np.where(fold == -1, 10_000, np.where(fold < 0, -1, fold)), scene)
    rounds = np.unique(fold[fold >= 0])
    cells = np.where(drawn == -2, 1, 0)
    cells = np.where(drawn == 10_000, 2, cells)
    labelled = (drawn >= 0) & (drawn < 10_000)
    cells = np.where(labelled, 3 + drawn % len(FOLD_COLOURS), cells)
    colours = [_CLEAR, _EMPTY, _rgba(_LEARNED), *map(_rgba, FOLD_COLOURS)]
    legend = [
        (FOLD_COLOURS[number % len(FOLD_COLOURS)], f"round {number + 1}") for number in rounds[:10]
    ]
    if len(rounds) > 10:
        legend.append(("", f"… {len(rounds)} rounds"))
    if (fold == -1).any():
        legend.append((_LEARNED, "never tested"))
    title = "Tested in one round" if len(rounds) == 1 else "Which round tests which cells"
    return title, _uri(cells, colours), _legend(legend)


def _ramp(values: Cells, low: float, high: float, ramp: str, unit: str) -> tuple[str, str]:
    """Picture and colour bar of values; -inf stands for cells of the scene without any."""
    from matplotlib import colormaps

    steps = (colormaps[ramp](np.linspace(0, 1, _STEPS)) * 255).round().astype(int).tolist()
    finite = np.isfinite(values)
    share = (np.where(finite, values, low).astype(np.float64) - low) / (high - low)
    place = np.clip(share * _STEPS, 0, _STEPS - 1).astype(np.intp) + 2
    cells = np.where(finite, place, np.where(np.isneginf(values), 1, 0))
    stops = ",".join(
        "#{:02x}{:02x}{:02x}".format(*step[:3]) for step in steps[:: (_STEPS - 1) // 9]
    )
    legend = (
        f'<div class="ramp"><span>{figure_words(low)}</span>'
        f'<i style="background:linear-gradient(90deg,{stops})"></i>'
        f"<span>{figure_words(high)} {escaped(unit)}</span></div>"
    )
    return _uri(cells, [_CLEAR, _EMPTY, *map(tuple, steps)]), legend


def _thick(cells: Cells, scene: NDArray[np.bool_]) -> Cells:
    """Labels with the scene behind them: -2 (or -inf) where only the scene is.

    Labels that cover next to nothing are drawn as dots of 3 by 3 and more cells, or nobody would
    see them.
    """
    labelled = _labelled(cells)
    out = cells.astype(np.float64 if cells.dtype.kind == "f" else np.int64)
    share = labelled.sum() / max(scene.sum(), 1)
    reach = 0 if share > _THIN or not labelled.any() else max(1, max(cells.shape) // 250)
    if reach:
        rows, cols = np.nonzero(labelled)
        for down in range(-reach, reach + 1):
            for right in range(-reach, reach + 1):
                near = (
                    np.clip(rows + down, 0, cells.shape[0] - 1),
                    np.clip(cols + right, 0, cells.shape[1] - 1),
                )
                out[near] = cells[rows, cols]
        out[rows, cols] = cells[rows, cols]
        labelled = _labelled(out)
    out[~labelled & scene] = -np.inf if out.dtype.kind == "f" else -2
    return out


def _smaller(picture: MapPicture, side: int) -> MapPicture:
    """The picture with at most `side` cells on its long side.

    Of the map every so many cells; of labels the last one of so many, tested ones before others,
    so that points are not lost and all label maps show the same cells.
    """
    step = math.ceil(max(picture.predicted.shape) / side)
    if step == 1:
        return picture
    small = picture.predicted[::step, ::step]
    tested, labelled = (np.zeros(picture.predicted.shape, np.bool_) for _ in range(2))
    if picture.tested is not None:
        tested = _labelled(picture.tested)
    if picture.truth is not None:
        labelled = _labelled(picture.truth)
    if picture.fold is not None:
        labelled = labelled | (picture.fold > -2)
    place = np.concatenate([np.argwhere(labelled & ~tested), np.argwhere(tested)]).T

    def part(cells: Cells | None, nothing: float) -> Cells | None:
        if cells is None:
            return None
        out = np.full(small.shape, nothing, cells.dtype)
        out[place[0] // step, place[1] // step] = cells[place[0], place[1]]
        return out

    nothing = math.nan if small.dtype.kind == "f" else -1
    return replace(
        picture,
        predicted=small,
        fold=part(picture.fold, -2),
        truth=part(picture.truth, nothing),
        tested=part(picture.tested, nothing),
    )


def _labelled(cells: Cells) -> NDArray[np.bool_]:
    return np.isfinite(cells) if cells.dtype.kind == "f" else cells >= 0


def _span(values: Sequence[Cells]) -> tuple[float, float]:
    """2 and 98 % of all finite values together."""
    finite = np.concatenate([part[np.isfinite(part)].ravel() for part in values])
    if not finite.size:
        return 0.0, 1.0
    for tail in (0.02, 0.0):  # a map that is nearly all one value has others beyond
        low, high = np.quantile(finite.astype(np.float64), [tail, 1 - tail])
        if low < high:
            return float(low), float(high)
    return float(low) - 0.5, float(low) + 0.5


def _scale_bar(picture: MapPicture) -> str:
    """A bar of a round length, about a fifth of the width."""
    left, right, _, _ = picture.extent
    metres = (right - left) * picture.metres_per_unit
    if not (math.isfinite(metres) and metres > 0):
        return ""
    power = 10.0 ** math.floor(math.log10(metres / 4))
    length = max(times * power for times in (1, 2, 5) if times * power <= metres / 4)
    words = f"{length / 1000:,g} km" if length >= 1000 else f"{length:g} m"
    return (
        f'<div class="scale"><i style="width:{length / metres:.2%}"></i><span>{words}</span></div>'
    )


def _legend(entries: Sequence[tuple[str, str]]) -> str:
    chips = "".join(f"<span>{chip(colour)}{escaped(name)}</span>" for colour, name in entries)
    return f'<div class="legend">{chips}</div>'


def chip(colour: str) -> str:
    """A small square of a colour; nothing for none."""
    return f'<i class="chip" style="background:{escaped(colour)}"></i>' if colour else ""


def _uri(cells: Cells, colours: Sequence[Colour]) -> str:
    return data_uri(palette_png(cells.astype(np.uint8), colours), "image/png")


def _rgba(colour: str) -> Colour:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16), 255
