"""write_card: the card of a trained model: what it maps, from what, how well, and where not.

Every figure comes from the spec or from what `evaluation.json` holds; the words are here.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from geotools.io.atomic import write_atomic
from geotools.spec import InputInfo, ModelSpec, SourceInfo
from geotools.training.export.card_scores import (
    areas_section,
    calibration_section,
    cell,
    classes_section,
    importance_section,
    listed,
    mapping,
    residuals_section,
    score_section,
)
from geotools.training.learners.table import title

__all__ = ["write_card"]

_MOST = 25
"""Names that are listed."""

_SHAPES = {
    "raster": "(N, {bands}, H, W)",
    "cell_size": "(N, 2, H, 1)",
    "features": "(N, {bands})",
    "sequence": "(N, {length}, {each})",
    "horizon": "(1,)",
}

_MEANINGS = {
    "raster": "the features, as they are in the rasters; NaN = invalid",
    "cell_size": "cells of each row in metres: east-west, north-south",
    "features": "one row per cell; NaN = undefined",
    "sequence": "one cell, its dates oldest first; NaN = undefined",
    "horizon": "days",
}


def write_card(
    path: str | os.PathLike[str],
    spec: ModelSpec,
    record: Mapping[str, Any],
    *,
    overwrite: bool = False,
) -> None:
    """Writes the card.

    Args:
        path: the `.md` file.
        spec: of the exported model.
        record: what `evaluation.json` holds; what it lacks is left out.
        overwrite: replace the file when it exists.

    Raises:
        FileError: it cannot be written.
    """
    sections = (
        _head(spec, record), _rasters(spec), _graph(spec), _running(spec),
        score_section(record), classes_section(record), calibration_section(record),
        areas_section(record), residuals_section(record), importance_section(record),
        _proof(spec, record), _data(spec), _limits(spec, record), _again(spec, record),
    )  # fmt: skip
    text = "\n\n".join("\n".join(lines) for lines in sections if lines)
    with write_atomic(path, overwrite=overwrite) as part:
        part.write_text(text + "\n", encoding="utf-8")


def _head(spec: ModelSpec, record: Mapping[str, Any]) -> list[str]:
    lines = [f"# {spec.name}", "", spec.description or "A model made by geotools."]
    learner = record.get("learner") or spec.parameters.get("learner")
    if learner:
        ridge = learner == "logistic" and not spec.classes
        lines += ["", f"**Learner** {'ridge regression' if ridge else title(str(learner))}."]
    for note in listed(spec.training.get("notes")):
        lines += ["", str(note)]
    for sentence in listed(record.get("result")):
        lines += ["", str(sentence)]
    return lines


def _rasters(spec: ModelSpec) -> list[str]:
    """What the user gives, in order."""
    if spec.parameters.get("table"):
        lines = ["## Input: a table", "", "Columns, by name: " + _code(spec.features) + "."]
        return lines
    lines = ["## Input: rasters, in this order", ""]
    if not spec.sources:
        return [*lines, "1. a raster with the bands " + _code(spec.bands) + "."]
    lines += ["| | raster | bands (their numbers) | what | brought onto the grid | dates |"]
    lines += ["|---|---|---|---|---|---|"]
    for number, source in enumerate(spec.sources, 1):
        lines.append(
            f"| {number} | {source.name} | {_numbered(source)} | {_what(source)} | "
            f"{source.resampling} | {', '.join(source.dates) or '–'} |"
        )
    lines += [
        "",
        "The first raster gives the grid. Bands are found by their names, else by their numbers. "
        "Values must be in the units of the rasters that the model was trained on.",
    ]
    named = spec.features or spec.bands
    return [*lines, "", f"Features ({len(named)}): {_code(named)}."]


def _numbered(source: SourceInfo) -> str:
    pairs = zip(source.bands, source.numbers, strict=False)
    text = ", ".join(f"{name} ({number})" for name, number in pairs)
    return cell(text or ", ".join(source.bands))


def _what(source: SourceInfo) -> str:
    if source.role == "elevation":
        return "elevation, metres"
    return "codes of classes" if source.kind == "classes" else "values"


def _graph(spec: ModelSpec) -> list[str]:
    """Inputs and outputs of the file, for those who run it elsewhere."""
    lines = ["## The graph", "", "| name | shape, float32 | meaning |", "|---|---|---|"]
    for item in spec.inputs:
        unit = f" ({item.unit})" if item.unit and item.kind != "cell_size" else ""
        lines.append(f"| `{item.name}` | {_shape(item)} | {_MEANINGS[item.kind]}{unit} |")
    for output in spec.outputs:
        count = len(output.classes) or 1
        where = ", H, W" if any(item.kind == "raster" for item in spec.inputs) else ""
        if output.classes:
            named = ", ".join(f"{info.code} {cell(info.name)}" for info in output.classes)
            meaning = f"probabilities in the order of the codes in maps: {named}"
        else:
            meaning = f"values{f' in {output.unit}' if output.unit else ''}"
        lines.append(f"| `{output.name}` | (N, {count}{where}) | {meaning} |")
    lines += ["", "Normalisation, missing values and probabilities are inside the graph."]
    if any(item.kind == "raster" for item in spec.inputs):
        lines[-1] += (
            f" A cell's answer depends on cells up to {spec.halo} cells away; tiles of "
            f"{spec.tile} cells run well"
            + (
                f", beginning on multiples of {spec.stride_multiple}."
                if spec.stride_multiple > 1
                else "."
            )
        )
    return lines


def _shape(item: InputInfo) -> str:
    bands = len(item.bands)
    return _SHAPES[item.kind].format(bands=bands, length=item.length, each=bands // item.length)


def _running(spec: ModelSpec) -> list[str]:
    if spec.parameters.get("table"):
        return ["## How to run it", "", "    geotools predict model.onnx rows.csv -o out.csv"]
    rasters = [
        f"{source.name}_{date}.tif" if date else f"{source.name}.tif"
        for source in spec.sources
        for date in source.dates or ("",)
    ] or ["raster.tif"]
    line = f"    geotools predict model.onnx {' '.join(rasters)} -o map.tif"
    if spec.classes:
        line += " --polygons map.gpkg"
    return ["## How to run it", "", line]


def _proof(spec: ModelSpec, record: Mapping[str, Any]) -> list[str]:
    parity = spec.parity or mapping(record.get("parity"))
    if parity.get("max_difference") is None:
        return []
    what = "probability" if spec.classes else "value, in shares of the largest,"
    text = (
        f"The training framework against ONNX Runtime{_of(parity.get('on'))}: largest difference "
        f"of a {what} {parity['max_difference']:.1e}"
    )
    if parity.get("class_agreement") is not None:
        text += f", same class in {parity['class_agreement']:.4%}"
    if parity.get("cells"):
        text += f", {parity['cells']:,} cells"
    return ["## Proof of the file", "", text + "."]


def _of(place: Any) -> str:
    return f" on {place}" if place else ""


def _data(spec: ModelSpec) -> list[str]:
    training = spec.training
    lines = []
    if data := listed(training.get("data")):
        lines.append("Trained on: " + ", ".join(str(name) for name in data) + ".")
    if training.get("attribution"):
        lines.append(f"Data: {str(training['attribution']).rstrip('.')}.")
    lines += [f"<{link}>" for link in listed(training.get("links"))]
    licence = spec.licence or "none was stated: ask whoever trained it"
    lines.append(f"Licence of the model: {licence}.")
    return ["## Data and licence", "", *_spaced(lines)]


def _limits(spec: ModelSpec, record: Mapping[str, Any]) -> list[str]:
    lines = [f"- {sentence}" for sentence in listed(record.get("warnings"))]
    if not spec.parameters.get("table"):
        low, high = spec.cell_size_m
        lines.append(f"- Made for cells of {low:.4g} to {high:.4g} m.")
    lines.append(
        "- It knows places like those it was trained on; how well it does elsewhere, in another "
        "season or with another sensor, was not tested."
    )
    if spec.classes:
        names = ", ".join(info.name for info in spec.classes)
        lines.append(
            f"- Every valid cell gets one of these classes, also where none fits: {names}."
        )
    return ["## Limits", "", *lines]


def _again(spec: ModelSpec, record: Mapping[str, Any]) -> list[str]:
    training = spec.training
    seed = record.get("seed", training.get("seed"))
    lines = []
    if training.get("command"):
        lines += [f"    {training['command']}", ""]
    said = [f"Seed {seed}"] if seed is not None else []
    said += [str(training["software"])] if training.get("software") else []
    if said:
        lines.append(", ".join(said) + ".")
    return ["## Make it again", "", *lines] if lines else []


def _code(names: Iterable[str]) -> str:
    shown = list(names)
    more = f" and {len(shown) - _MOST} more" if len(shown) > _MOST else ""
    return ", ".join(f"`{name}`" for name in shown[:_MOST]) + more


def _spaced(lines: Sequence[str]) -> list[str]:
    """The lines as paragraphs."""
    return [part for line in lines for part in (line, "")][:-1]
