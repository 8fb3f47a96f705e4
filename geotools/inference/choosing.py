"""Which forecaster a catalog gets: the shipped model whose region holds it, or one of its own."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import EventsError, ModelError
from geotools.events import check_events, days
from geotools.forecast import utc
from geotools.inference.calibration import Calibration, Factors
from geotools.inference.forecast import Forecaster
from geotools.inference.model import Model, open_model, shipped_models
from geotools.inference.remarks import EventArrays, inside
from geotools.seismicity.backbone import Backbone
from geotools.seismicity.features import FEATURES
from geotools.seismicity.generic import generic_backbone

if TYPE_CHECKING:
    from geopandas import GeoDataFrame

__all__ = ["GENERIC", "choose_forecaster", "forecaster_of", "generic_forecaster"]

_FACTORS = (
    "horizon_days",
    "background",
    "triggering",
    "background_direct",
    "triggering_direct",
)

GENERIC = "generic"
"""As `--model`: no model file, but the catalog itself."""

_MOSTLY = 0.5
"""A regional model takes a catalog when its region holds more than half of the events."""


def choose_forecaster(
    events: GeoDataFrame,
    *,
    model: str | os.PathLike[str] | None = None,
    start: datetime,
    min_magnitude: float | None = None,
) -> Forecaster:
    """The forecaster of a model file, or the one that fits the events best.

    Without a model: the shipped one with the smallest region that holds more than half of the
    events that it would use; that of the global one holds any. Where none goes down to
    `min_magnitude`, or the catalog has no event that counts, a generic one.

    Args:
        events: an event table.
        model: an `.onnx` file, the name of a shipped model, or `generic`.
        start: the issue time.
        min_magnitude: the smallest magnitude that is to be forecast.

    Raises:
        EventsError: nothing can be said from these events.
        FileError, ModelError: the model file cannot be used.
    """
    shipped = shipped_models()
    if model is not None:
        name = os.fspath(model)
        if name == GENERIC:
            return generic_forecaster(events, start=start, min_magnitude=min_magnitude)
        return forecaster_of(open_model(shipped.get(name, name)))
    arrays = EventArrays.of(check_events(events))
    before = arrays.time_days < days(np.datetime64(utc(start).replace(tzinfo=None), "us"))
    forecasters = [
        forecaster_of(open_model(path))
        for name, path in shipped.items()
        if name.startswith("seismicity-")
    ]
    forecasters.sort(key=lambda one: one.area_m2)
    for one in forecasters:
        used = before & one.backbone.used(arrays.magnitude)
        if min_magnitude is not None and one.backbone.mc > min_magnitude + 1e-6:
            continue
        if used.any() and inside(one.backbone, arrays)[used].mean() > _MOSTLY:
            return one
    return generic_forecaster(events, start=start, min_magnitude=min_magnitude)


def generic_forecaster(
    events: GeoDataFrame, *, start: datetime, min_magnitude: float | None = None
) -> Forecaster:
    """A forecaster made of the catalog: smoothed seismicity and generic ETAS parameters.

    Raises:
        EventsError: no event with a magnitude lies before the start.
    """
    events = check_events(events)
    if events.empty:
        raise EventsError("The catalog holds no events: there is nothing to forecast from.")
    backbone, notes = generic_backbone(
        days(events["time"]),
        *(events[name].to_numpy() for name in ("longitude", "latitude", "magnitude")),
        issue_days=float(days(np.datetime64(utc(start).replace(tzinfo=None), "us"))),
        mc=min_magnitude,
    )
    said = (
        "No model is used: smoothed seismicity of this catalog with generic ETAS parameters, "
        "which nobody has evaluated here.",
        *notes,
    )
    return Forecaster(backbone, {"name": GENERIC}, notes=said)


def forecaster_of(model: Model) -> Forecaster:
    """The forecaster in a model file.

    Raises:
        ModelError: the model is of another kind, or lacks what a forecast needs.
    """
    spec = model.spec
    kinds = {item.kind for item in spec.inputs}
    if "backbone" not in spec.parameters or "features" not in kinds:
        raise ModelError(
            f"The model {model.file} issues no forecasts (its task is {spec.task}): name a "
            "seismicity model, or leave --model out."
        )
    wanted = next(item.bands for item in spec.inputs if item.kind == "features")
    if wanted != FEATURES:
        raise ModelError(
            f"The model {model.file} takes {len(wanted)} features that this geotools does not "
            "compute: export it again with this version."
        )
    try:
        backbone = Backbone.from_parameters(spec.parameters["backbone"])
        factors = _factors(spec.parameters)
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"The model {model.file} lacks what a forecast needs ({error}): export it again."
        ) from None
    if not factors:
        raise ModelError(f"The model {model.file} was fitted for no horizon: export it again.")
    identity = {"name": spec.name, "version": spec.version, "sha256": model.sha256}
    return Forecaster(backbone, identity, Calibration(factors), model)


def _factors(parameters: Mapping[str, Any]) -> tuple[Factors, ...]:
    """The factors of every horizon; `dispersion` is a list beside `calibration`."""
    items = parameters["calibration"]
    spread = parameters.get("dispersion") or [None] * len(items)
    return tuple(
        Factors(
            **{name: float(item[name]) for name in _FACTORS},
            dispersion=None if dispersion is None else float(dispersion),
        )
        for item, dispersion in zip(items, spread, strict=True)
    )
