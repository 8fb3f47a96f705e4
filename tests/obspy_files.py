"""The files that ObsPy's wheel brings for its own tests: real catalogs of many formats."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest


def obspy_file(family: str, name: str) -> Path:
    """A file of `obspy/io/FAMILY/tests/data`."""
    found = importlib.util.find_spec("obspy")
    assert found is not None
    assert found.origin is not None
    path = Path(found.origin).parent / "io" / family / "tests" / "data" / name
    if not path.is_file():
        pytest.skip(f"ObsPy was installed without {path.name}")
    return path
