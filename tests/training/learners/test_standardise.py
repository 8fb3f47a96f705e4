"""What nets are given: deviations from the mean, gaps as the mean, codes as channels."""

from __future__ import annotations

import numpy as np
import torch

from geotools.training.learners.standardise import Scaling, Standardise, measure


def test_mean_and_deviation_are_those_of_the_values():
    """Of a normal sample with gaps, to a few per cent: the outermost half per cent is drawn in."""
    rng = np.random.default_rng(0)
    rows = rng.normal([5.0, -2000.0], [2.0, 300.0], (20_000, 2)).astype(np.float32)
    rows[::9, 1] = np.nan
    rows[7, 0] = 1e12  # an extreme value is not felt
    found = measure(rows)
    np.testing.assert_allclose(found.mean, [5.0, -2000.0], rtol=0.02)
    np.testing.assert_allclose(found.scale, [2.0, 300.0], rtol=0.03)


def test_constant_and_empty_features_have_a_scale_of_one():
    rows = np.stack([np.full(50, 1e6), np.full(50, np.nan), np.zeros(50)], 1).astype(np.float32)
    found = measure(rows)
    np.testing.assert_array_equal(found.mean, [1e6, 0, 0])
    np.testing.assert_array_equal(found.scale, [1, 1, 1])


def test_gaps_are_zero_and_told_by_the_last_channel():
    """The same for rows, dates and maps: features are the second axis."""
    scaling = Scaling(np.float32([10, 20]), np.float32([2, 5]))
    layer = Standardise(scaling, {})
    raw = torch.tensor([[14.0, 10.0], [np.nan, 25.0], [np.nan, np.nan], [1e9, np.inf]])
    expected = torch.tensor([[2.0, -2.0, 1.0], [0.0, 1.0, 0.5], [0.0, 0.0, 0.0], [8.0, 0.0, 0.5]])
    assert layer.channels == 3
    torch.testing.assert_close(layer(raw), expected)
    maps = layer(raw.T[None, :, :, None])  # (1, 2, 4, 1)
    torch.testing.assert_close(maps[0, :, :, 0].T, expected)


def test_codes_are_one_channel_each():
    scaling = Scaling(np.float32([0, 7]), np.float32([1, 1]))
    layer = Standardise(scaling, {1: (2, 7)})
    raw = torch.tensor([[3.0, 7.0], [3.0, 2.0], [3.0, 5.0], [3.0, np.nan]])
    assert layer(raw)[:, 1:3].tolist() == [[0, 1], [1, 0], [0, 0], [0, 0]]
    only = Standardise(Scaling(np.float32([0]), np.float32([1])), {0: (1, 2)})
    assert only(torch.tensor([[2.0]])).tolist() == [[0, 1, 1]]
