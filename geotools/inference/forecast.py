"""Forecaster: expected numbers of earthquakes after a moment, from the events before it.

A backbone (background, ETAS, completeness) and, where there is one, a net that corrects its rates.
Both come out of a model file, or the backbone is made from the catalog itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

from geotools.errors import EventsError, ModelError
from geotools.events import check_events, days
from geotools.forecast import Forecast, utc
from geotools.inference.issued import Issued
from geotools.inference.model import Model
from geotools.raster import Raster
from geotools.seismicity.backbone import Backbone
from geotools.seismicity.features import FEATURES, CellFeatures, cell_features, each_features

if TYPE_CHECKING:
    from geopandas import GeoDataFrame
    from numpy.typing import NDArray

__all__ = ["Calibration", "Forecaster", "default_edges", "forecaster_of"]

_BATCH = 16_384
"""Cells in one call of the net."""

_MOST_BINS = 4
_LARGEST_EDGE = 7.0
"""Beside the lowest magnitude, whole magnitudes up to 7 get bins, four bins at most."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """The factors of background + triggering at one horizon, as fitted on the training years."""

    horizon_days: float
    """Length of the window."""
    background: float
    """Factor of the background."""
    triggering: float
    """Factor of the triggering, with aftershocks of aftershocks inside the window."""


@dataclass(frozen=True, slots=True, eq=False)
class Forecaster:
    """All that issues forecasts for one region, whatever the moment and the horizon."""

    backbone: Backbone
    """Region, completeness, background and ETAS."""
    identity: Mapping[str, str]
    """`name`; of a model file `version` and `sha256` too."""
    calibrations: tuple[Calibration, ...] = ()
    """By rising horizon; forecasts between them are interpolated. None: factors of 1."""
    model: Model | None = None
    """The net; None: the backbone alone."""
    dispersion: tuple[float, ...] = ()
    """Of the number of events, for each calibration; see `Issued.dispersion`."""
    notes: tuple[str, ...] = ()
    """What every forecast of this one has to say."""

    @property
    def horizon_days(self) -> float:
        """The horizon when none is asked for: the shortest that was calibrated."""
        return self.calibrations[0].horizon_days if self.calibrations else 7.0

    @property
    def area_m2(self) -> float:
        """Area of the region in square metres."""
        grid = self.backbone.grid
        return float((self.backbone.region.sum(axis=1) * grid.cell_area_m2()).sum())

    def issue(
        self,
        events: GeoDataFrame,
        start: datetime,
        *,
        horizon_days: float | None = None,
        magnitudes: tuple[float, ...] | None = None,
    ) -> Issued:
        """The forecast for [start, start + horizon), from the events before `start`.

        Args:
            events: an event table; what happens at or after `start` is not looked at.
            start: the issue time; without a time zone it is UTC.
            horizon_days: length of the window; `self.horizon_days` when None.
            magnitudes: lower edges of the magnitude bins, rising, from `backbone.mc` on; that, and
                whole magnitudes up to 7, when None.

        Raises:
            EventsError: a horizon or magnitudes that this forecaster has not.
        """
        events, start = check_events(events), utc(start)
        horizon, edges = self._horizon(horizon_days), self._edges(magnitudes)
        time, *places = _arrays(events)
        features = cell_features(
            self.backbone, time, *places, issue_days=_days(start), horizon_days=horizon
        )
        return self._issued(features, (time, *places), start, horizon, edges)

    def issue_each(
        self,
        events: GeoDataFrame,
        starts: Sequence[datetime],
        *,
        horizon_days: float | None = None,
        magnitudes: tuple[float, ...] | None = None,
    ) -> Iterator[Issued]:
        """`issue` at each of many rising starts, at the cost of what changes between them.

        Raises:
            EventsError: as `issue`, or starts that do not rise.
        """
        events = check_events(events)
        horizon, edges = self._horizon(horizon_days), self._edges(magnitudes)
        time, *places = _arrays(events)
        moments = [utc(start) for start in starts]
        each = each_features(
            self.backbone, time, *places,
            issues_days=[_days(moment) for moment in moments], horizon_days=horizon,
        )  # fmt: skip
        for moment, features in zip(moments, each, strict=True):
            yield self._issued(features, (time, *places), moment, horizon, edges)

    def _issued(
        self,
        features: CellFeatures,
        arrays: tuple[NDArray[np.float64], ...],
        start: datetime,
        horizon: float,
        edges: tuple[float, ...],
    ) -> Issued:
        """The forecast of features; `arrays` as `_arrays` gives them."""
        issue, (time, longitude, latitude, magnitude) = _days(start), arrays
        notes = list(self.notes)
        used, left_out = self._used(time, longitude, latitude, magnitude, issue)
        etas = self._calibrated(features, horizon)
        rates, note = self._corrected(features, etas, time[used], issue, horizon)
        notes += [note] if note else []
        notes += self._remarks(time, longitude, latitude, magnitude, used, issue)
        window = (start, start + timedelta(days=horizon))
        smoothed = features.smoothed
        uniform = self._uniform(smoothed)
        dispersion = self._interpolated(self.dispersion, horizon) if self.dispersion else None
        return Issued(
            forecast=self._forecast(rates, window, edges, self.identity["name"]),
            baselines={
                "uniform": self._forecast(uniform, window, edges, "uniform"),
                "smoothed": self._forecast(smoothed, window, edges, "smoothed seismicity"),
                "etas": self._forecast(etas, window, edges, "ETAS"),
            },
            mc=self.backbone.mc,
            b_value=self.backbone.b_value,
            used=used,
            left_out=left_out,
            dispersion=dispersion,
            model=self.identity,
            notes=tuple(notes),
        )

    def _edges(self, asked: tuple[float, ...] | None) -> tuple[float, ...]:
        edges = asked or default_edges(self.backbone.mc)
        if edges[0] < self.backbone.mc - 1e-6:
            raise EventsError(
                f"{self.identity['name']} counts events from M {self.backbone.mc:g} on: ask for "
                f"that or more, not for {edges[0]:g}."
            )
        return edges

    def _horizon(self, asked: float | None) -> float:
        if asked is None:
            return self.horizon_days
        low, high = (0.0, 3660.0)
        if self.calibrations:
            low, high = self.calibrations[0].horizon_days, self.calibrations[-1].horizon_days
        if not (low <= asked <= high and asked > 0):
            raise EventsError(
                f"{self.identity['name']} was made for {low:g} to {high:g} days, not for "
                f"{asked:g}: give a --horizon between them, or --model generic."
            )
        return float(asked)

    def _used(
        self,
        time: NDArray[np.float64],
        longitude: NDArray[np.float64],
        latitude: NDArray[np.float64],
        magnitude: NDArray[np.float64],
        issue: float,
    ) -> tuple[NDArray[np.bool_], dict[str, int]]:
        """(events,) True for those the rates come from, and the number of others by reason."""
        unknown = np.isnan(magnitude)
        small = ~unknown & ~self.backbone.used(magnitude)
        late = ~unknown & ~small & (time >= issue)
        used = ~(unknown | small | late)
        outside = used & ~self.inside(longitude, latitude)
        counts = {
            "without a magnitude": unknown,
            f"below M {self.backbone.mc:g}": small,
            "at or after the start": late,
        }
        left_out = {reason: int(mask.sum()) for reason, mask in counts.items() if mask.any()}
        if outside.any():  # they may trigger into the region, and are counted all the same
            left_out["outside the grid (their reach into it counts)"] = int(outside.sum())
        return used, left_out

    def inside(
        self, longitude: NDArray[np.float64], latitude: NDArray[np.float64]
    ) -> NDArray[np.bool_]:
        """(events,) True where the place is in a cell of the region."""
        grid = self.backbone.grid
        left, _, _, top = grid.bounds
        col = np.floor((longitude - left) % 360 / grid.transform.a + 1e-9).astype(np.int64)
        row = np.floor((top - latitude) / -grid.transform.e + 1e-9).astype(np.int64)
        row = np.where(row == grid.height, row - (latitude <= -90 + 1e-9), row)
        within = (row >= 0) & (row < grid.height) & (col < grid.width)
        inside = np.zeros(longitude.shape, dtype=bool)
        inside[within] = self.backbone.region[row[within], col[within]]
        return inside

    def _calibrated(self, features: CellFeatures, horizon: float) -> NDArray[np.float64]:
        """(cells,) the ETAS forecast with secondaries, with the factors of the horizon."""
        if not self.calibrations:
            return features.background + features.with_secondaries
        factors = [
            self._interpolated([getattr(one, name) for one in self.calibrations], horizon)
            for name in ("background", "triggering")
        ]
        etas: NDArray[np.float64] = (
            factors[0] * features.background + factors[1] * features.with_secondaries
        )
        return etas

    def _interpolated(self, values: Any, horizon: float) -> float:
        """A value between the calibrated horizons: linear in the logarithm of both."""
        logs = np.log([one.horizon_days for one in self.calibrations])
        logged = np.log(np.maximum(values, 1e-12))
        return float(np.exp(np.interp(np.log(horizon), logs, logged)))

    def _corrected(
        self,
        features: CellFeatures,
        etas: NDArray[np.float64],
        time: NDArray[np.float64],
        issue: float,
        horizon: float,
    ) -> tuple[NDArray[np.float64], str]:
        """(cells,) the rates of the net, or those of ETAS and why."""
        if self.model is None:
            return etas, ""
        history = issue - float(time.min()) if time.size else 0.0
        if history < self.backbone.history_days:
            return etas, (
                f"The catalog begins {history:,.0f} days before the start and the net looks "
                f"{self.backbone.history_days:,.0f} days back: this is ETAS with the model's "
                "background, without the net."
            )
        names = [item.name for item in self.model.spec.inputs]
        inputs: dict[str, Any] = {}
        if "horizon_days" in names:
            inputs["horizon_days"] = np.array([horizon], dtype=np.float32)
        rates = [
            self.model.run({"features": features.values[first : first + _BATCH], **inputs})[0]
            for first in range(0, features.values.shape[0], _BATCH)
        ]
        return np.concatenate(rates).astype(np.float64), ""

    def _remarks(
        self,
        time: NDArray[np.float64],
        longitude: NDArray[np.float64],
        latitude: NDArray[np.float64],
        magnitude: NDArray[np.float64],
        used: NDArray[np.bool_],
        issue: float,
    ) -> list[str]:
        """What a reader of the forecast must know of the catalog."""
        if not used.any():
            return [
                f"No event of M {self.backbone.mc:g} or more lies before the start: this is the "
                "long-term background alone."
            ]
        notes = []
        last = issue - float(time[used].max())
        # Mean waiting time, 20 times over: a catalog that is still running would not be so silent.
        expected = float(self.backbone.smoothed[self.backbone.region].sum())
        if last * expected > 20:
            notes.append(
                f"The last event is {last:,.0f} days before the start: what happened since is not "
                "in the catalog, and not in the forecast."
            )
        lowest = float(magnitude[used].min())
        if lowest >= self.backbone.mc + 0.5:
            notes.append(
                f"The catalog begins at M {lowest:g}, the forecast counts from "
                f"{self.backbone.mc:g}: triggering by smaller events is missing."
            )
        inside = self.inside(longitude[used], latitude[used])
        if not inside.any():
            notes.append("No event lies in the region: it is the long-term background alone.")
        return notes

    def _uniform(self, smoothed: NDArray[np.float64]) -> NDArray[np.float64]:
        """(cells,) the same number of events, spread evenly by area."""
        area = np.broadcast_to(self.backbone.grid.cell_area_m2()[:, None], self.backbone.grid.shape)
        shares = area[self.backbone.region] / area[self.backbone.region].sum()
        return np.asarray(shares * smoothed.sum())

    def _forecast(
        self,
        cells: NDArray[np.float64],
        window: tuple[datetime, datetime],
        edges: tuple[float, ...],
        name: str,
    ) -> Forecast:
        """The cells as a raster of magnitude bins, by the Gutenberg-Richter law above Mc."""
        backbone = self.backbone
        above = [10 ** (-backbone.b_value * (edge - backbone.mc)) for edge in edges] + [0.0]
        shares = -np.diff(above)  # (bins,)
        data = np.zeros((len(edges), *backbone.grid.shape))
        data[:, backbone.region] = shares[:, None] * cells
        bands = tuple(f"M {edge:g}" for edge in edges)
        rates = Raster(data, backbone.region, backbone.grid, bands)
        return Forecast(rates, *window, edges, name)


def _arrays(events: GeoDataFrame) -> tuple[NDArray[np.float64], ...]:
    """Days since 1970-01-01, longitude, latitude and magnitude of the events."""
    columns = (events[name].to_numpy() for name in ("longitude", "latitude", "magnitude"))
    return days(events["time"]), *columns


def _days(moment: datetime) -> float:
    return float(days(np.datetime64(moment.replace(tzinfo=None), "us")))


def default_edges(lowest: float) -> tuple[float, ...]:
    """The lowest magnitude, and whole magnitudes above it up to 7; four bins at most."""
    whole = np.arange(np.floor(lowest) + 1, _LARGEST_EDGE + 1)
    return (lowest, *(float(edge) for edge in whole[: _MOST_BINS - 1] if edge > lowest + 0.05))


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
        calibrations = tuple(
            Calibration(
                float(item["horizon_days"]), float(item["background"]), float(item["triggering"])
            )
            for item in spec.parameters["calibration"]
        )
        dispersion = tuple(float(value) for value in spec.parameters.get("dispersion", ()))
    except (KeyError, TypeError, ValueError) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"The model {model.file} lacks what a forecast needs ({error}): export it again."
        ) from None
    horizons = [one.horizon_days for one in calibrations]
    if not horizons or horizons != sorted(set(horizons)) or min(horizons) <= 0:
        raise ModelError(f"The model {model.file} gives horizons {horizons}: export it again.")
    if dispersion and len(dispersion) != len(horizons):
        raise ModelError(
            f"The model {model.file} gives {len(dispersion)} dispersions for {len(horizons)} "
            "horizons: export it again."
        )
    identity = {"name": spec.name, "version": spec.version, "sha256": model.sha256}
    return Forecaster(backbone, identity, calibrations, model, dispersion)
