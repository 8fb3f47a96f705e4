"""ensemble: several models as one, whose map is the mean of theirs."""

from __future__ import annotations

import dataclasses
import hashlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import ModelError
from geotools.spec import InputInfo, ModelSpec, SourceInfo

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geotools.inference.predictor import Predictor

__all__ = ["Ensemble", "ensemble"]


def ensemble(models: Sequence[Predictor], weights: Sequence[float] | None = None) -> Predictor:
    """A model whose probabilities, or values, are the mean of those of several.

    Its halo is the largest of theirs, its tiles begin where all of theirs may, and it is made for
    the cell sizes that all are made for.

    Args:
        models: with the same inputs, sources, features, and classes or unit.
        weights: one for each, more than 0; all the same when None.

    Raises:
        ModelError: no model, weights that are none, or models that differ in what they take or
            give; the message names the first two that do, and in what.
    """
    if not models:
        raise ModelError("An ensemble of no models was asked for: give at least one.")
    shares = _shares(weights, len(models))
    first = models[0]
    if first.spec.outputs[0].kind not in ("probabilities", "values"):
        raise ModelError(
            f"The model {first.file} gives {first.spec.outputs[0].kind}, of which no mean is "
            "taken: give models of classes or values."
        )
    for other in models[1:]:
        for what, of in _MUST_AGREE.items():
            one, two = of(first), of(other)
            if one != two:
                raise ModelError(
                    f"{first.file} and {other.file} make no ensemble: their {what} differ ("
                    f"{one} against {two}); give models that were trained for the same map."
                )
    low = max(model.spec.cell_size_m[0] for model in models)
    high = min(model.spec.cell_size_m[1] for model in models)
    if low > high:
        raise ModelError(
            f"{' and '.join(model.file for model in models)} make no ensemble: no cell size suits "
            f"all (one needs {low:g} m or more, another {high:g} m or less)."
        )
    made = Ensemble(models, shares)
    if made.side is not None and 2 * made.spec.halo >= min(made.side):
        raise ModelError(
            f"{' and '.join(model.file for model in models)} make no ensemble: tiles of "
            f"{made.side[0]} x {made.side[1]} cells have no middle within a halo of "
            f"{made.spec.halo}."
        )
    return made


class Ensemble:
    """Several models as one; a `Predictor`, made by `ensemble`."""

    def __init__(self, models: Sequence[Predictor], shares: Sequence[float]) -> None:
        self._models, self._shares = tuple(models), tuple(shares)
        first = self._models[0]
        self.file = " + ".join(model.file for model in models)
        lines = [model.sha256 for model in models]
        if not _are_alike(shares):
            lines = [f"{line} {share!r}" for line, share in zip(lines, shares, strict=True)]
        self.sha256 = hashlib.sha256("\n".join(lines).encode()).hexdigest()
        """Of the list of the models' own, a line each, with their shares where these differ."""
        self.channels, self.side = first.channels, first.side
        self.finer, self.coarser = first.finer, first.coarser
        self.device = " + ".join(dict.fromkeys(model.device for model in models))
        self.notes = tuple(dict.fromkeys(note for model in models for note in model.notes))
        self.cell_m: float | None = getattr(first, "cell_m", None)
        """Cell size that foreign models were made for, in metres."""
        self.spec = _spec(self._models, self._shares)

    def run(self, inputs: Mapping[str, NDArray[np.float32]]) -> list[NDArray[Any]]:
        """The mean of the first outputs, for one batch.

        Raises:
            ModelError: as the models' own.
        """
        total: NDArray[np.float64] | None = None
        for share, model in zip(self._shares, self._models, strict=True):
            given = model.run(inputs)[0]
            if total is None:
                total = np.zeros(given.shape, np.float64)
            if given.shape != total.shape:
                raise ModelError(
                    f"{model.file} gives a map of {given.shape}, {self._models[0].file} one of "
                    f"{total.shape}: they make no ensemble."
                )
            total += share * given.astype(np.float64)
        return [np.asarray(total, np.float32)]

    def decide(
        self, probabilities: NDArray[np.float32]
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
        """As the first model does; all have the same threshold."""
        return self._models[0].decide(probabilities)

    def release(self) -> None:
        """See `Predictor`."""
        for model in self._models:
            model.release()


def _shares(weights: Sequence[float] | None, count: int) -> list[float]:
    """Weights that add up to 1."""
    given = [1.0] * count if weights is None else [float(weight) for weight in weights]
    if len(given) != count or not all(math.isfinite(weight) and weight > 0 for weight in given):
        listed = ", ".join(f"{weight:g}" for weight in given) or "none"
        raise ModelError(
            f"{count} models have the weights {listed}: give a number above 0 for each."
        )
    return [weight / sum(given) for weight in given]


def _are_alike(shares: Sequence[float]) -> bool:
    return len({round(share, 12) for share in shares}) == 1


def _spec(models: Sequence[Predictor], shares: Sequence[float]) -> ModelSpec:
    """What the models have in common, and which they are."""
    specs = [model.spec for model in models]
    first = specs[0]
    # The halo is paid for by the tile: the model that sees farthest knows which is worth it.
    tile = max(specs, key=lambda spec: (spec.halo, spec.tile)).tile
    members = [f"{model.spec.name} {model.sha256[:12]}" for model in models]
    parameters: dict[str, Any] = {"ensemble": f"mean of {', '.join(members)}"}
    if not _are_alike(shares):
        parameters["weights"] = " ".join(f"{share:.6g}" for share in shares)
    shared = {
        key: value
        for key, value in first.parameters.items()
        if all(spec.parameters.get(key) == value for spec in specs)
    }
    licences = dict.fromkeys(spec.licence for spec in specs if spec.licence)
    return dataclasses.replace(
        first,
        name=" + ".join(spec.name for spec in specs),
        version=" + ".join(dict.fromkeys(spec.version for spec in specs)),
        description=f"The mean of {len(models)} models: {', '.join(members)}.",
        outputs=first.outputs[:1],
        cell_size_m=(
            max(spec.cell_size_m[0] for spec in specs),
            min(spec.cell_size_m[1] for spec in specs),
        ),
        tile=tile,
        halo=max(spec.halo for spec in specs),
        stride_multiple=math.lcm(*(spec.stride_multiple for spec in specs)),
        parameters={**shared, **parameters},
        training={"ranges": _ranges(specs)},
        licence=" AND ".join(licences),
        parity={},
    )


def _ranges(specs: Sequence[ModelSpec]) -> dict[str, list[float]]:
    """Low and high of each feature, of what any of them has learned from."""
    found: dict[str, list[float]] = {}
    for spec in specs:
        ranges = spec.training.get("ranges")
        for name, pair in ranges.items() if isinstance(ranges, Mapping) else ():
            if isinstance(pair, Sequence) and all(isinstance(end, int | float) for end in pair):
                known = [*found.get(name, ()), *pair]
                found[name] = [min(known), max(known)] if known else []
    return found


def _inputs(inputs: Sequence[InputInfo]) -> str:
    return "; ".join(
        f"{info.name}, {info.kind} of {', '.join(info.bands)}"
        f"{f' at {info.length} dates' if info.length > 1 else ''}"
        f"{f' in {info.unit}' if info.unit else ''}"
        for info in inputs
    )


def _sources(sources: Sequence[SourceInfo]) -> str:
    """All that is said of them, in words."""
    lines = []
    for source in sources:
        said = dataclasses.asdict(source)
        words = [f"{key} {value}" for key, value in said.items() if value and key != "name"]
        lines.append(f"{source.name}: {', '.join(words)}")
    return "; ".join(lines) or "one raster"


_MUST_AGREE: Mapping[str, Callable[[Predictor], str]] = {
    "outputs": lambda model: model.spec.outputs[0].kind,
    "classes": lambda model: (
        ", ".join(f"{info.code} {info.name}" for info in model.spec.outputs[0].classes) or "none"
    ),
    "numbers of bands": lambda model: f"{model.channels}",
    "units": lambda model: model.spec.outputs[0].unit or "none",
    "inputs": lambda model: _inputs(model.spec.inputs),
    "sources": lambda model: _sources(model.spec.sources),
    "features": lambda model: ", ".join(model.spec.features) or "none",
    "blocks": lambda model: f"{model.side or 'any size'}",
    "finenesses": lambda model: f"{model.finer}/{model.coarser}",
    "cell sizes": lambda model: f"{getattr(model, 'cell_m', None) or 'any'}",
    "thresholds": lambda model: f"{model.spec.parameters.get('threshold', 'none')}",
}
"""In what models of an ensemble must not differ, in words that tell any difference."""
