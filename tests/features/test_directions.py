"""geotools.features.directions: what points somewhere, and how it turns."""

import numpy as np
import pytest

from geotools.features.directions import directions_of


def test_features_that_are_directions():
    """Aspects, pairs of one radius, halves and hillshades are found by name."""
    found = directions_of(
        ("dem", "terrain.eastness@3", "terrain.aspect", "terrain.northness@3", "terrain.northness",
         "terrain.hillshade", "aspect")
    )  # fmt: skip
    assert (found.aspects, found.pairs) == ((2,), ((3, 1),))
    assert (found.lone_north, found.lone_east, found.lit) == ((4,), (), (5,))
    assert found.half_known


@pytest.mark.parametrize(
    ("matrix", "aspect"),
    [
        (((1.0, 0.0), (0.0, 1.0)), 30.0),
        (((-1.0, 0.0), (0.0, 1.0)), 150.0),
        (((1.0, 0.0), (0.0, -1.0)), 330.0),
        (((0.0, 1.0), (1.0, 0.0)), 240.0),
        (((0.0, -1.0), (-1.0, 0.0)), 60.0),
    ],
)
def test_an_aspect_and_its_pair_turn_alike(matrix, aspect):
    """Mirrored rows exchange north and south; rows that become columns, north and west."""
    angle = np.deg2rad(30.0)
    values = np.array([[30.0, np.nan], [np.cos(angle), np.nan], [np.sin(angle), np.nan]])
    values = values.astype(np.float32)
    directions_of(("terrain.aspect", "terrain.northness", "terrain.eastness")).turn(matrix, values)
    north, east = np.cos(np.deg2rad(aspect)), np.sin(np.deg2rad(aspect))
    assert np.allclose(values[:, 0], [aspect, north, east], atol=1e-4)
    assert np.isnan(values[:, 1]).all()
