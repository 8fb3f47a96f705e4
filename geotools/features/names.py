"""Names of features: what they may be, and which bands, attributes and dates they stand for.

`SOURCE`, `SOURCE.BAND`, `terrain.ATTRIBUTE`, `terrain.ATTRIBUTE@RADIUS`, `imagery.INDEX`, those
of dated sources with `@DATE`. No pixels here; they are computed in `stack`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from geotools.errors import ConfigError
from geotools.imagery.indices import INDICES
from geotools.spec import SourceInfo
from geotools.terrain.attributes import ATTRIBUTES

__all__ = [
    "LARGEST_RADIUS",
    "Feature",
    "bands_of_index",
    "elevation_of",
    "expand_features",
    "find_band",
    "parse_feature",
    "shown_bands",
    "slug",
    "steps_of",
]

LARGEST_RADIUS = 500
"""Cells; sums over larger windows are no longer exact (see `geotools.terrain.windows`)."""

_RADIUS = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(m|km)?")

_LISTED = 20
"""Bands that a sentence lists at most."""

_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Feature:
    """What one name says."""

    kind: str
    """`band`, `terrain` or `imagery`."""
    source: str
    """Name of the source of a band; empty for the others."""
    name: str
    """Band (empty for all), attribute or index."""
    radius: float | None = None
    """Radius of a terrain attribute, in cells or metres; its own when None."""
    in_metres: bool = False
    """Unit of the radius."""
    date: str = ""
    """Date, or the beginning of one; empty for all."""

    def __str__(self) -> str:
        text = f"{self.source or self.kind}.{self.name}" if self.name else self.source
        if self.radius is not None:
            text += f"@{self.radius:.10g}{'m' if self.in_metres else ''}"
        return f"{text}@{self.date}" if self.date else text


def parse_feature(text: str) -> Feature:
    """What the name says, as far as it can be told without the sources.

    Raises:
        ConfigError: no feature can have this name.
    """
    body, at, rest = text.partition("@")
    source, dot, name = body.partition(".")
    if not source or (dot and not name) or (at and not rest):
        raise ConfigError(
            f"{text!r} names no feature: write SOURCE, SOURCE.BAND, terrain.ATTRIBUTE or "
            "imagery.INDEX."
        )
    if source == "terrain":
        _check_known(text, name, ATTRIBUTES, "attribute")
        return Feature("terrain", "", name, *_radius(text, name, rest))
    if source == "imagery":
        _check_known(text, name, INDICES, "index")
        return Feature("imagery", "", name, date=rest)
    return Feature("band", source, name, date=rest)


def expand_features(names: Sequence[str] | None, infos: Sequence[SourceInfo]) -> tuple[str, ...]:
    """The names in full and one by one: every band by its name, every date of a dated source.

    Names without a date stand for all dates, date by date: those of several names that have the
    same dates come together, all of the first date, then all of the second.

    Args:
        names: as the user writes them; all bands of all sources when None.
        infos: the sources.

    Raises:
        ConfigError: a name that is unknown, that could be several things, or that needs what the
            sources do not have.
    """
    listed = [info.name for info in infos] if names is None else list(names)
    if not listed:
        raise ConfigError("No feature is named: name some, or leave features out.")
    done: list[str] = []
    waiting: dict[tuple[str, ...], int] = {}  # dates -> where those names are among `groups`
    groups: list[tuple[tuple[str, ...], list[Feature]]] = []
    for text in listed:
        for feature, dates in _bands(text, parse_feature(text), infos):
            if not dates or feature.date:
                groups.append(((), [feature]))
            elif dates in waiting:
                groups[waiting[dates]][1].append(feature)
            else:
                waiting[dates] = len(groups)
                groups.append((dates, [feature]))
    for dates, features in groups:
        for date in dates or ("",):
            done += [str(replace(one, date=date) if date else one) for one in features]
    return tuple(dict.fromkeys(done))


def steps_of(features: Sequence[str]) -> tuple[tuple[int, ...], ...]:
    """Where the features of each date are, when they are a stack of dates: the same at each.

    The oldest date first; features that have no date are part of each, after those that do.

    Args:
        features: full names, as from `expand_features`.
    """
    parsed = [parse_feature(name) for name in features]
    dates = sorted({one.date for one in parsed if one.date})
    always = [number for number, one in enumerate(parsed) if not one.date]
    steps = [[n for n, one in enumerate(parsed) if one.date == date] for date in dates]
    kinds = [[replace(parsed[number], date="") for number in step] for step in steps]
    if any(kind != kinds[0] for kind in kinds):
        return ()
    return tuple((*step, *always) for step in steps)


def find_band(text: str, infos: Sequence[SourceInfo]) -> tuple[int, int]:
    """Which source and which of its bands `SOURCE` or `SOURCE.BAND` is, both from 0.

    Raises:
        ConfigError: an unknown source or band.
    """
    feature = parse_feature(text)
    number = _source(text, feature.source, infos)
    info = infos[number]
    if not feature.name and len(info.bands) == 1:
        return number, 0
    return number, _band(text, feature.name, info)


def elevation_of(infos: Sequence[SourceInfo]) -> int:
    """The source that `terrain` features are taken from.

    Raises:
        ConfigError: there is none, or there are several.
    """
    found = [number for number, info in enumerate(infos) if info.role == "elevation"]
    if not found:
        raise ConfigError(
            f"A terrain feature needs an elevation model, and none of {_names(infos)} is one: give "
            'one of them role = "elevation".'
        )
    if len(found) > 1:
        raise ConfigError(
            f"Terrain features are taken from one elevation model, and "
            f"{_names([infos[number] for number in found])} are both one: give the others "
            'role = "other".'
        )
    info = infos[found[0]]
    if info.dates or len(info.bands) != 1:
        raise ConfigError(
            f"Terrain features are taken from one band without dates, and {info.name} has "
            f"{len(info.bands)} bands and {len(info.dates)} dates: choose one."
        )
    return found[0]


def bands_of_index(name: str, infos: Sequence[SourceInfo]) -> dict[str, tuple[int, int]]:
    """The source and the band, from 0, of every role that an index needs.

    A band has a role when that is its name, or the name of its source of one band. All come from
    one source, or else from several that have one each.

    Raises:
        ConfigError: a role that no band has, or that several have.
    """
    roles = INDICES[name].roles
    having = [_roles(info) for info in infos]
    whole = [number for number, found in enumerate(having) if set(roles) <= set(found)]
    if len(whole) > 1:
        raise ConfigError(
            f"imagery.{name} could be taken from {_names([infos[n] for n in whole])}: call the "
            "bands of only one of them by these names."
        )
    if whole:
        return {role: (whole[0], having[whole[0]][role]) for role in roles}
    chosen = {}
    for role in roles:
        places = [(n, found[role]) for n, found in enumerate(having) if role in found]
        if len(places) != 1:
            many = f"{len(places)} sources have one" if places else "no band is called so"
            raise ConfigError(
                f"imagery.{name} needs bands called {', '.join(roles)}, and for {role} {many}: "
                f"name the bands of an input, as in bands = {{ {role} = 3 }}."
            )
        chosen[role] = places[0]
    if len({infos[number].dates for number, _ in chosen.values()}) > 1:
        raise ConfigError(f"imagery.{name} needs bands of the same dates: give one source.")
    return chosen


def shown_bands(bands: Sequence[str]) -> str:
    """The names as a sentence lists them: numbers in a row by the first and the last."""
    count = len(bands)
    if count > 2 and all(_NUMBER.fullmatch(band) for band in bands):
        first = int(bands[0])
        if [int(band) for band in bands] == list(range(first, first + count)):
            return f"{first} to {first + count - 1}"
    if count > _LISTED:
        return f"{', '.join(bands[:_LISTED])} and {count - _LISTED} more"
    return ", ".join(bands)


def slug(text: str) -> str:
    """The text in lower-case letters, digits and _."""
    return re.sub(r"[^0-9a-z]+", "_", text.lower()).strip("_")


def _bands(
    text: str, feature: Feature, infos: Sequence[SourceInfo]
) -> list[tuple[Feature, tuple[str, ...]]]:
    """The features of one band each that a name stands for, with the dates that they have."""
    if feature.kind == "terrain":
        elevation_of(infos)
        return [(feature, ())]
    if feature.kind == "imagery":
        source = next(iter(bands_of_index(feature.name, infos).values()))[0]
        info, numbers = infos[source], [0]
    else:
        info = infos[_source(text, feature.source, infos)]
        numbers = [_band(text, feature.name, info)] if feature.name else [*range(len(info.bands))]
    date = _date(text, feature.date, info)
    if feature.kind == "imagery" or len(info.bands) == 1:
        name = feature.name if feature.kind == "imagery" else ""
        return [(replace(feature, name=name, date=date), info.dates)]
    return [
        (replace(feature, name=info.bands[number], date=date), info.dates) for number in numbers
    ]


def _source(text: str, name: str, infos: Sequence[SourceInfo]) -> int:
    for number, info in enumerate(infos):
        if info.name == name:
            return number
    known = [info.name for info in infos]
    raise ConfigError(
        f"The feature {text} is of no input: {_hint(name, known)}the inputs are "
        f"{', '.join(known)}; derived ones begin with terrain. or imagery."
    )


def _band(text: str, name: str, info: SourceInfo) -> int:
    for number, band in enumerate(info.bands):
        if band == name:
            return number
    alike = [number for number, band in enumerate(info.bands) if slug(band) == slug(name)]
    if len(alike) == 1:
        return alike[0]
    if _NUMBER.fullmatch(name) and int(name) in info.numbers:
        return info.numbers.index(int(name))
    raise ConfigError(
        f"The feature {text} is no band of {info.name}: {_hint(name, info.bands)}its bands are "
        f"{shown_bands(info.bands)}."
    )


def _date(text: str, wanted: str, info: SourceInfo) -> str:
    """The full date that is meant; empty for all."""
    if not wanted:
        return ""
    if not info.dates:
        raise ConfigError(f"The feature {text} has a date, and {info.name} has none: leave it out.")
    found = [date for date in info.dates if date == wanted] or [
        date for date in info.dates if date.startswith(wanted)
    ]
    if len(found) != 1:
        raise ConfigError(
            f"The feature {text} is of {'several dates' if found else 'no date'} of {info.name}: "
            f"its dates are {', '.join(info.dates)}."
        )
    return found[0]


def _roles(info: SourceInfo) -> dict[str, int]:
    """The bands of a source by the names that may be roles."""
    found = {band.lower(): number for number, band in enumerate(info.bands)}
    if len(info.bands) == 1:
        found.setdefault(info.name.lower(), 0)
    return found if info.kind == "values" else {}


def _radius(text: str, name: str, rest: str) -> tuple[float | None, bool]:
    """Radius and whether it is in metres."""
    if not rest:
        return None, False
    if ATTRIBUTES[name].kind == "stencil":
        raise ConfigError(
            f"The feature {text} has a radius, and {name} is taken from a cell's neighbours alone: "
            "leave it out."
        )
    found = _RADIUS.fullmatch(rest)
    if found is None:
        raise ConfigError(
            f"The feature {text} has the radius {rest!r}: give cells, as in @10, or metres, as in "
            "@300m."
        )
    value, unit = float(found[1]), found[2]
    if unit:
        return value * (1000 if unit == "km" else 1), True
    if value != int(value) or not 1 <= value <= LARGEST_RADIUS:
        raise ConfigError(
            f"The feature {text} has a radius of {value:g} cells: give a whole number from 1 to "
            f"{LARGEST_RADIUS}."
        )
    return value, False


def _check_known(text: str, name: str, known: Iterable[str], what: str) -> None:
    listed = list(known)
    if name not in listed:
        raise ConfigError(
            f"The feature {text} names no known {what}: {_hint(name, listed)}known are "
            f"{', '.join(listed)}."
        )


def _hint(name: str, known: Sequence[str]) -> str:
    # A number is near no other.
    near = [] if _NUMBER.fullmatch(name) else difflib.get_close_matches(name, known, 1)
    return f"did you mean {near[0]!r}? In all, " if near else ""


def _names(infos: Sequence[SourceInfo]) -> str:
    return " and ".join(info.name for info in infos)
