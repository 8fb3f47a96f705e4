"""The landform net: denoise the DEM, look along eight rays, name the form.

Full resolution throughout and no statistic of the whole tile, so that a cell gets the same answer
in any tile or extent that holds its halo. Training and export are elsewhere.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from geotools.training.landforms.horizons import horizon_tangents, horizon_tangents_slices

__all__ = ["LandformNet", "NetConfig"]

_FEATURES = 16
_DIGITS = 56
_BANDS = 4

_LARGEST_M = 3.0
"""Metres at which the unit of the correction levels off: SRTM's noise is of that order."""


@dataclass(frozen=True, kw_only=True)
class NetConfig:
    """What shapes a `LandformNet`."""

    width: int = 16
    """Channels of the denoiser (multiples of 16 fill the vector units of a CPU)."""

    dilations: tuple[int, ...] = (1, 1, 2, 2, 4, 4, 8, 8, 2, 2)
    """Dilation of each 3 x 3 layer; pairs form residual blocks."""

    head: int = 48
    """Channels of the first layer that turns directions into forms."""

    context: int = 32
    """Channels of the second, which also sees its neighbours."""

    search: int = 10
    """Rays end before this many cells, as in the labels."""

    flat_deg: float = 1.0
    """Flatness threshold of the labels, degrees; the unit in which tangents are measured."""

    forms: int = 10
    """Classes."""


class LandformNet(nn.Module):
    """Elevation and cell size in, probabilities (or logits) of the ten forms out."""

    def __init__(self, config: NetConfig | None = None) -> None:
        super().__init__()
        self.config = config = config or NetConfig()
        width = config.width
        self.stem = nn.Conv2d(_FEATURES, width, 3, padding=1)
        pairs = zip(config.dilations[::2], config.dilations[1::2], strict=True)
        self.blocks = nn.ModuleList(_Block(width, a, b) for a, b in pairs)
        self.correction = nn.Conv2d(width, 1 + _BANDS, 3, padding=1)
        self.doubt = nn.Conv2d(width, 4, 1)
        self.hidden = nn.Conv2d(_DIGITS + width, config.head, 1)
        self.mixed = nn.Conv2d(config.head, config.context, 1)
        self.near = nn.Conv2d(config.context, config.context, 3, padding=1)
        self.output = nn.Conv2d(config.context, config.forms, 1)
        # The untrained net passes the DEM unchanged and trusts it.
        for layer in (self.correction, self.doubt, self.near):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
        with torch.no_grad():
            self.hidden.weight[:, _DIGITS:] = 0.0
            for block in self.blocks:
                block.second.weight.mul_(0.1)  # type: ignore[union-attr,operator]
        smooth = torch.tensor([1.0, 2.0, 1.0]) / 4.0
        self.register_buffer("trust", torch.tensor([1.0, 1.0, 0.0, 0.0])[None, :, None, None])
        self.register_buffer("kernel", (smooth[:, None] * smooth)[None, None].repeat(2, 1, 1, 1))
        self.exporting = False
        """Trace the horizons as slices instead of the compiled kernel."""
        self.low_precision = False
        """Train the convolutions in bfloat16: three times faster on CPUs that have it."""

    kernel: Tensor
    trust: Tensor

    def forward(self, elevation: Tensor, cell_size: Tensor) -> Tensor:
        """Probabilities of the forms.

        Args:
            elevation: (N, 1, H, W) metres; NaN = invalid.
            cell_size: (N, 2, H, 1) metres per row, x then y.

        Returns:
            (N, forms, H, W), summing to 1, finite everywhere.
        """
        logits = self.logits(elevation, cell_size)[0]  # (N, forms, H, W)
        # Written out: ONNX Runtime's Softmax over channels moves the whole tensor twice.
        weights = torch.exp(logits - logits.amax(1, keepdim=True))
        return weights / weights.sum(1, keepdim=True)

    def logits(self, elevation: Tensor, cell_size: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (N, forms, H, W) and the denoised elevation (N, 1, H, W) in metres.

        The forms teach the correction with a tenth of their gradient: that of a direction's sign is
        wild where the DEM is noisy, that of a height error is not.
        """
        clean, valid, hidden = self.denoise(elevation, cell_size)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.low_precision):
            doubt = self.doubt(hidden)  # (N, 4, H, W)
        doubt = doubt.to(clean.dtype) + self.trust
        look = horizon_tangents_slices if self.exporting else horizon_tangents
        fixed = clean.detach()
        damped = clean if self.exporting else fixed + 0.1 * (clean - fixed)
        tangents = look(damped, valid, cell_size, self.config.search)  # (N, 32, H, W)
        return self.forms_of(tangents, doubt, hidden), clean

    def denoise(self, elevation: Tensor, cell_size: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Denoised elevation and validity (N, 1, H, W), and the last layer (N, width, H, W).

        Each band of the DEM is shrunk by a gain of its own, cell by cell, and what is left is
        corrected in units of the local height scale.
        """
        valid = (elevation.abs() < 1e5).to(elevation.dtype)  # NaN compares false: 0
        filled, bands = self._levels(elevation, valid)  # (N, 1, H, W), (N, 4, H, W)
        features, scale = self._features(bands, valid, cell_size)  # (N, 16, H, W), (N, 1, H, W)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.low_precision):
            hidden = functional.relu(self.stem(features))  # (N, width, H, W)
            for block in self.blocks:
                hidden = block(hidden)
            parts = 0.3 * self.correction(hidden)  # (N, 5, H, W)
        parts = parts.to(filled.dtype)
        shrunk = (parts[:, 1:] * bands).sum(1, keepdim=True)  # (N, 1, H, W)
        return filled + scale * parts[:, :1] + shrunk, valid, hidden

    def forms_of(self, tangents: Tensor, doubt: Tensor, hidden: Tensor) -> Tensor:
        """Logits (N, forms, H, W) from tangents (N, 32, H, W) and what the denoiser knows.

        Args:
            tangents: as from `horizon_tangents`.
            doubt: (N, 4, H, W), see `_digits`.
            hidden: (N, width, H, W), the denoiser's last layer.
        """
        digits = self._digits(tangents, doubt)  # (N, 56, H, W)
        with torch.autocast("cpu", torch.bfloat16, enabled=self.low_precision):
            head = torch.cat([digits.to(hidden.dtype), hidden], 1)  # (N, 56 + width, H, W)
            head = functional.relu(self.hidden(head))  # (N, head, H, W)
            head = functional.relu(self.mixed(head))  # (N, context, H, W)
            # What the neighbours look like: ridges and valleys go on.
            head = functional.relu(head + self.near(head))
            logits: Tensor = self.output(head)  # (N, forms, H, W)
        return logits.to(tangents.dtype)

    def _levels(self, elevation: Tensor, valid: Tensor) -> tuple[Tensor, Tensor]:
        """The DEM with holes filled, and four bands of its a-trous pyramid (Holschneider 1989).

        Level k is smoothed by a binomial kernel with 2^k cells between its taps, over valid
        cells only; band k is level k minus level k + 1. A hole takes the finest level that has
        a valid cell in reach (31 cells), else 0.
        """
        zero = torch.zeros_like(elevation)
        heights = torch.where(valid > 0, elevation, zero)
        sums = torch.cat([heights, valid], 1)  # (N, 2, H, W): sum of heights, sum of weights
        filled, known = heights, valid
        levels = []
        for k in range(5):
            spacing = 2**k
            sums = functional.conv2d(
                sums, self.kernel, padding=spacing, dilation=spacing, groups=2
            )  # (N, 2, H, W)
            weight = sums[:, 1:]
            level = sums[:, :1] / weight.clamp(min=1e-12)
            fresh = (weight > 1e-12).to(valid.dtype) * (1.0 - known)
            filled = filled + fresh * level
            known = known + fresh
            levels.append(level)
        bands = []
        finer = filled
        for level in levels[:4]:
            bands.append((finer - level) * valid)
            finer = level
        return filled, torch.cat(bands, 1)  # (N, 1, H, W), (N, 4, H, W)

    def _features(self, bands: Tensor, valid: Tensor, cell_size: Tensor) -> tuple[Tensor, Tensor]:
        """What the denoiser sees, and the local height scale in metres that it works in.

        The scale follows the root mean square of the finest band over 31 x 31 cells, noise in
        flat country and terrain in steep country, where it levels off at what noise can be. Bands
        are also given as slopes in units of the flatness threshold. A logarithm keeps mountains in
        range and small values as they are.
        """
        x, y = cell_size[:, :1], cell_size[:, 1:]  # (N, 1, H, 1)
        cell = torch.sqrt(x * y)
        flat = cell * math.tan(math.radians(self.config.flat_deg))  # height of 1 degree at 1 cell
        sizes = torch.cat([bands[:, :3] ** 2, torch.abs(bands[:, :1]), valid], 1)  # (N, 5, H, W)
        means = _box(sizes, 15)
        means = means[:, :4] / means[:, 4:].clamp(min=1e-6)  # (N, 4, H, W)
        rms = torch.sqrt(means[:, :3] + 1e-6)  # (N, 3, H, W)
        # The floor keeps a level plain from being amplified.
        scale = rms[:, :1] / (1.0 + rms[:, :1] / _LARGEST_M) + 0.02  # metres
        # Noise has other ratios than terrain, of the bands and of mean size to mean square.
        logs = torch.log(torch.cat([rms, means[:, 3:]], 1) + 0.02)  # (N, 4, H, W)
        size = torch.cat([torch.log(cell) - 4.0, torch.log(x / y)], 1)  # (N, 2, H, 1)
        size = size + torch.zeros_like(bands[:, :2])  # (N, 2, H, W)
        relative = _compressed(bands / scale)
        slopes = _compressed(bands / flat)
        noise = logs - torch.log(flat)
        features = torch.cat([relative, slopes, logs, noise[:, :1], size, valid], 1)
        return features, scale  # (N, 16, H, W), (N, 1, H, W)

    def _digits(self, tangents: Tensor, doubt: Tensor) -> Tensor:
        """Soft ternary digits of the eight directions, their counts, and the bare tangents.

        r.geomorphon's rule: a direction is + when highest + lowest tangent > 0 and - when < 0,
        provided that one of them is steeper than the threshold. `doubt` holds, per cell, the log
        sharpness of both comparisons, a log factor on the threshold and an offset of the sum.
        Digits come three times: nearly as sharp as the rule, as `doubt` says, and of the far
        cells alone.
        """
        unit = math.tan(math.radians(self.config.flat_deg))
        # (N, 8, H, W) each
        near_high, near_low, far_high, far_low = torch.chunk(tangents / unit, 4, 1)
        high, low = torch.maximum(near_high, far_high), torch.minimum(near_low, far_low)
        total, size = high + low, torch.maximum(high, -low)
        far_total, far_size = far_high + far_low, torch.maximum(far_high, -far_low)
        sharp = torch.exp(doubt[:, :2].clamp(-3.0, 2.0))
        threshold = torch.exp(doubt[:, 2:3].clamp(-2.0, 2.0))
        steep = torch.sigmoid(4.0 * sharp[:, 1:] * (size - threshold))
        signed = torch.tanh(sharp[:, :1] * (total + doubt[:, 3:])) * steep
        far = torch.tanh(sharp[:, :1] * (far_total + doubt[:, 3:]))
        far = far * torch.sigmoid(4.0 * sharp[:, 1:] * (far_size - threshold))
        exact = torch.tanh(12.0 * total) * torch.sigmoid(24.0 * (size - 1.0))
        counts = [
            functional.relu(sign * part).sum(1, keepdim=True)
            for part in (signed, far, exact)
            for sign in (1.0, -1.0)
        ]
        counts += [steep.sum(1, keepdim=True), (steep * (1.0 - steep)).sum(1, keepdim=True)]
        bare = [near_high + near_low, far_total, far_size]
        bare = [0.25 * _compressed(tangent) for tangent in bare]
        return torch.cat([signed, steep, far, *bare, *counts], 1)  # (N, 56, H, W)


class _Block(nn.Module):
    """Two dilated 3 x 3 layers with a shortcut; (N, width, H, W) in and out."""

    def __init__(self, width: int, first: int, second: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(width, width, 3, padding=first, dilation=first)
        self.second = nn.Conv2d(width, width, 3, padding=second, dilation=second)

    def forward(self, hidden: Tensor) -> Tensor:
        step: Tensor = self.second(functional.relu(self.first(hidden)))
        return functional.relu(hidden + step)


def _compressed(values: Tensor) -> Tensor:
    """sign(v) log(1 + |v|): linear near 0, a logarithm far out."""
    return torch.sign(values) * torch.log(1.0 + torch.abs(values))


def _box(values: Tensor, radius: int) -> Tensor:
    """Mean over a square of (2 radius + 1)^2 cells, zeros outside; (N, C, H, W) in and out."""
    width = 2 * radius + 1
    along = functional.avg_pool2d(values, (1, width), 1, (0, radius))
    return functional.avg_pool2d(along, (width, 1), 1, (radius, 0))
