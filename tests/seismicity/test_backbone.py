"""The backbone of a forecast: what goes into a model file comes out of it, or is refused."""

import json

import numpy as np
import pytest
from backbones import make_backbone

from geotools.errors import EventsError, ModelError
from geotools.seismicity.backbone import Backbone, lonlat_grid


def test_a_backbone_comes_back_from_json():
    """All fields return; arrays to the precision of float32, a second time to the bit."""
    made = make_backbone()
    body = json.loads(json.dumps(made.to_parameters(), allow_nan=False))
    back = Backbone.from_parameters(body)
    assert back.grid == made.grid
    assert back.etas == made.etas
    assert (back.mc, back.b_value, back.scales_km) == (made.mc, made.b_value, made.scales_km)
    assert back.history_days == 3650.0
    assert back.cells == 12 * 14 - 12
    np.testing.assert_array_equal(back.region, made.region)
    np.testing.assert_allclose(back.background, made.background, rtol=1e-7)
    again = Backbone.from_parameters(back.to_parameters())
    np.testing.assert_array_equal(again.smoothed, back.smoothed)
    assert again.to_parameters() == body


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("schema_version", 2),
        ("shape", [10**6, 10**6]),
        ("shape", [0, 14]),
        ("shape", [12, 15]),
        ("shape", "12"),
        ("region", "not base64!"),
        ("region", 7),
        ("background", ""),
        ("background", "eJwDAAAAAAE="),
        ("mc", "three"),
        ("mc", float("nan")),
        ("b_value", -1.0),
        ("etas", {}),
        ("etas", None),
        ("cell_deg", [0.1]),
        ("cell_deg", [-0.1, 0.1]),
        ("west", 1e300),
        ("bands_days", [3.0, 1.0]),
        ("scales_km", [0.0, 50.0]),
    ],
)
def test_what_cannot_be_is_refused_in_one_sentence(key, value):
    body = make_backbone().to_parameters()
    body[key] = value
    with pytest.raises(ModelError) as caught:
        Backbone.from_parameters(body)
    assert "\n" not in str(caught.value)
    del body[key]
    with pytest.raises(ModelError):
        Backbone.from_parameters(body)


def test_an_array_that_would_grow_is_not_decompressed():
    """A bomb of zeros is given up at the size that the grid needs."""
    import base64
    import zlib

    body = make_backbone().to_parameters()
    body["smoothed"] = base64.b64encode(zlib.compress(bytes(50_000_000), 9)).decode()
    with pytest.raises(ModelError, match="12 x 14"):
        Backbone.from_parameters(body)


def test_rates_must_be_positive_in_the_region_alone():
    made = make_backbone()
    holed = made.background.copy()
    holed[5, 5] = 0.0
    with pytest.raises(ModelError, match="positive"):
        make_backbone(background=holed)
    with pytest.raises(ModelError, match="grid"):
        make_backbone(region=np.ones((3, 3), dtype=bool))


def test_magnitudes_at_the_edge_count_in_spite_of_their_bits():
    made = make_backbone()
    magnitudes = np.array([2.9999999, 2.99, 3.0, np.nan])
    np.testing.assert_array_equal(made.used(magnitudes), [True, False, True, False])


def test_a_grid_beyond_the_earth_is_refused():
    with pytest.raises(EventsError):
        lonlat_grid(0.0, 95.0, (1.0, 1.0), (10, 10))
