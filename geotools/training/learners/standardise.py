"""Standardise: features in physical units, with NaN, made channels that a net can take.

The first layer of every net, so that normalisation, gaps and codes are inside the graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Scaling", "Standardise", "measure"]

_TAIL = 0.5
"""Per cent on either side that are drawn in before mean and deviation are taken: curvatures and
areas have tails that would leave nothing of the rest."""

_FAR = 8.0
"""Deviations from the mean beyond which a value says no more."""

_SOME = 50_000
"""Rows that are enough for a mean."""


@dataclass(frozen=True, slots=True, eq=False)
class Scaling:
    """Where the values of each feature lie."""

    mean: NDArray[np.float32]
    """(F,) mean; 0 for a feature without a value."""
    scale: NDArray[np.float32]
    """(F,) standard deviation; 1 for a constant feature."""


def measure(rows: NDArray[np.float32]) -> Scaling:
    """Mean and standard deviation of (n, F) rows, tails drawn in; NaN is left out."""
    rows = rows[:: -(-len(rows) // _SOME) or 1].astype(np.float64)  # (some, F)
    mean, scale = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
    for feature, values in enumerate(rows.T):
        known = values[np.isfinite(values)]
        if not len(known):
            continue
        known = np.clip(known, *np.percentile(known, [_TAIL, 100 - _TAIL]))
        mean[feature] = known.mean()
        spread = known.std()
        # What is left of float32 after subtracting the mean is noise below this.
        if spread > 1e-6 * max(abs(mean[feature]), 1e-30):
            scale[feature] = spread
    return Scaling(mean.astype(np.float32), scale.astype(np.float32))


class Standardise(nn.Module):
    """Deviations from the mean in standard deviations, codes as one channel each, and the share of
    features that are known.
    """

    def __init__(self, scaling: Scaling, categories: Mapping[int, tuple[int, ...]]) -> None:
        super().__init__()
        count = len(scaling.mean)
        self.values = [feature for feature in range(count) if feature not in categories]
        self.codes = {feature: categories[feature] for feature in sorted(categories)}
        self.channels = len(self.values) + sum(map(len, self.codes.values())) + 1
        """How many come out."""
        self.register_buffer("mean", torch.from_numpy(scaling.mean.copy()))
        self.register_buffer("scale", torch.from_numpy(scaling.scale.copy()))

    mean: Tensor
    scale: Tensor

    def forward(self, raw: Tensor) -> Tensor:
        """Channels of features.

        Args:
            raw: (N, F, ...) physical units; NaN where undefined.

        Returns:
            (N, channels, ...), finite; 0 throughout where nothing is known.
        """
        each = (1, -1, *(1,) * (raw.dim() - 2))  # features are the second axis
        mean, scale = self.mean.view(each), self.scale.view(each)
        known = raw.abs() < 1e30  # NaN compares false
        apart = (torch.where(known, raw, mean) - mean) / scale
        apart = apart.clamp(-_FAR, _FAR)  # (N, F, ...)
        parts = [apart] if not self.codes else []
        if self.codes and self.values:
            parts.append(torch.cat([apart[:, f : f + 1] for f in self.values], 1))
        parts.extend(
            (raw[:, feature : feature + 1] == float(code)).to(apart.dtype)
            for feature, codes in self.codes.items()
            for code in codes
        )
        parts.append(known.to(apart.dtype).mean(1, keepdim=True))
        return torch.cat(parts, 1)  # (N, channels, ...)
