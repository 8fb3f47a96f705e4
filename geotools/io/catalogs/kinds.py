"""What agencies call kinds of events, in the words of QuakeML 1.2 (EventType)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["ISF", "SCEDC", "in_words"]

ISF: Mapping[str, str] = {
    "uk": "not reported", "de": "earthquake", "fe": "earthquake",
    "ke": "earthquake", "se": "earthquake",
    "kr": "rock burst", "sr": "rock burst",
    "ki": "induced or triggered event", "si": "induced or triggered event",
    "km": "mining explosion", "sm": "mining explosion",
    "kh": "chemical explosion", "sh": "chemical explosion",
    "kx": "experimental explosion", "sx": "experimental explosion",
    "kn": "nuclear explosion", "sn": "nuclear explosion",
    "ls": "landslide",
}  # fmt: skip
"""Codes of the ISC bulletin and of ISF (www.isc.ac.uk/iscbulletin/search/catalogue/csvoutput):
known and suspected are one."""

SCEDC: Mapping[str, str] = {
    "eq": "earthquake", "le": "earthquake", "re": "earthquake", "ts": "earthquake",
    "qb": "quarry blast", "sn": "sonic boom", "nt": "nuclear explosion", "uk": "not reported",
}  # fmt: skip
"""Codes of the Southern California Earthquake Data Center, of 2019 (scedc.caltech.edu/eq-catalogs/
docs/scec_dc.html) and of before, when local, regional and teleseismic earthquakes had their own."""


def in_words(codes: NDArray[np.object_], words: Mapping[str, str]) -> NDArray[Any]:
    """The words of codes, (rows,) str; what is no code stays as it is."""
    import pandas as pd

    places, names = pd.factorize(codes)
    told = np.array([words.get(name.lower(), name) for name in names], dtype=object)
    return np.asarray(told[places])
