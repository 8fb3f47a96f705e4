"""A full disk: the right file, or an error and everything as it was (18 of 126 cases, and more).

All cases: python benchmarks/faults.py --only R1,R2.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from faults.full_disk import (
    LAYER_CASES,
    RASTER_CASES,
    NoMountError,
    predict,
    small_disk,
    write_geopackage,
    write_raster,
)


@pytest.fixture(scope="module")
def disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A file system of 3 MB."""
    try:
        with small_disk(tmp_path_factory.mktemp("full") / "disk") as folder:
            yield folder
    except NoMountError as error:
        pytest.skip(f"BARS R1 AND R2 ARE NOT TESTED: {error}")


def test_rasters(disk: Path):
    """Every seventh case: each layout and alignment, from no room to enough.

    rasterio alone stays silent in 80 of the 102 of all 126 cases whose disk is too small.
    """
    outcomes = [write_raster(disk, case) for case in RASTER_CASES[::7]]
    assert len(outcomes) == 18
    assert set(outcomes) == {"told", "right"}


@pytest.mark.parametrize("probabilities", [False, True])
def test_predictions(disk: Path, tmp_path: Path, probabilities: bool):
    """Legend, records and a second raster are there with the map, or not at all."""
    outcomes = [predict(disk, tmp_path, step, probabilities=probabilities) for step in (0, 1, 3, 9)]
    assert set(outcomes) == {"told", "right"}
    assert outcomes == sorted(outcomes, reverse=True), "told until there is room, then right"


@pytest.mark.parametrize("case", LAYER_CASES[1::3], ids=str)
def test_layers(disk: Path, case: tuple[str, int]):
    """The new layer, or an error in one sentence, the old file whole, and nothing beside it."""
    state, kilobytes = case
    assert write_geopackage(disk, state, kilobytes) == ("told" if kilobytes > 1000 else "right")
