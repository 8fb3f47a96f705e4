"""Realistic damage to a clean DEM: correlated noise, stripes, blur, whole metres and voids.

The same function damages training tiles and evaluation rasters; it knows nothing of labels. Sizes
and shapes follow what is published about SRTM; where a number is our own choice, it says so.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Degradation", "correlated_noise", "degrade", "draw_degradation"]


@dataclass(frozen=True, kw_only=True)
class Degradation:
    """What happens to a DEM, in the order blur, noise, stripes, quantisation, voids."""

    noise_sd_m: float = 0.0
    """Standard deviation of the correlated noise. SRTM's relative height error is 5 to 10 m at 90 %
    (Rodriguez et al. 2006, PE&RS 72(3), table 1): a standard deviation of 1 to 5 m."""

    correlation_cells: float = 1.5
    """Distance at which the noise's autocorrelation exp(-(d/L)^2) falls to 1/e, in cells."""

    stripe_sd_m: float = 0.0
    """Standard deviation of offsets shared along parallel lines; SRTM shows such stripes of 0.2 to
    4 m (Gallant & Read 2009, Enhancing the SRTM data for Australia, Geomorphometry 2009)."""

    stripe_angle_deg: float = 0.0
    """Direction across the stripes, degrees from the row axis."""

    stripe_wavelength_cells: float = 8.0
    """Wavelength of the stripes, cells (about 800 m in SRTM, Gallant & Read 2009)."""

    blur_cells: float = 0.0
    """Standard deviation of a Gaussian blur: a sensor or a resampling coarser than the cells."""

    quantum_m: float = 0.0
    """Heights are rounded to multiples of this (1 for SRTM's whole metres); 0 leaves them."""

    void_share: float = 0.0
    """Share of cells that become NaN, in small round holes (radar shadow and water)."""


def correlated_noise(
    shape: tuple[int, int], correlation_cells: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Gaussian noise of unit standard deviation and autocorrelation exp(-(d/L)^2).

    White noise is shaped in the Fourier domain by the root of the spectrum of that autocorrelation,
    on a frame 8 L wider, so that opposite edges are independent.

    Args:
        shape: (rows, cols).
        correlation_cells: L, in cells; 0 gives white noise.
        rng: the only source of randomness.

    Returns:
        (rows, cols) float32.
    """
    frame = int(np.ceil(8.0 * correlation_cells))
    padded = (shape[0] + frame, shape[1] + frame)
    # Its mean over all frequencies is 1, because the autocorrelation is 1 at 0.
    spectrum: NDArray[np.float64] = np.ones((1, 1))
    for axis, size in enumerate(padded):
        distance = np.minimum(np.arange(size), size - np.arange(size))
        scaled = distance / max(correlation_cells, 1e-6)
        along = np.fft.fft(np.exp(-(scaled**2))).real.clip(min=0.0)
        spectrum = spectrum * (along[:, None] if axis == 0 else along[None, : size // 2 + 1])
    white = np.fft.rfft2(rng.standard_normal(padded, dtype=np.float32))
    field = np.fft.irfft2(white * np.sqrt(spectrum), s=padded)
    return field[: shape[0], : shape[1]].astype(np.float32)


def degrade(
    elevation: NDArray[np.float32], how: Degradation, rng: np.random.Generator
) -> NDArray[np.float32]:
    """The elevation as a poorer instrument would have given it.

    Args:
        elevation: (rows, cols) float32, metres; NaN = invalid.
        how: the damage; `Degradation()` returns a copy.
        rng: the only source of randomness.

    Returns:
        (rows, cols) float32, metres; NaN where the input is NaN and in new voids.
    """
    out = elevation.astype(np.float32, copy=True)
    if how.blur_cells > 0:
        out = _blur(out, how.blur_cells)
    if how.noise_sd_m > 0:
        out += np.float32(how.noise_sd_m) * correlated_noise(out.shape, how.correlation_cells, rng)
    if how.stripe_sd_m > 0:
        out += _stripes(out.shape, how, rng)
    if how.quantum_m > 0:
        out = np.round(out / np.float32(how.quantum_m)) * np.float32(how.quantum_m)
    if how.void_share > 0:
        out[_voids(out.shape, how.void_share, rng)] = np.nan
    return out


def draw_degradation(rng: np.random.Generator, *, largest_sd_m: float = 5.5) -> Degradation:
    """A random degradation for one training tile (the ranges are ours, wide around SRTM's).

    The noise is uniform up to `largest_sd_m`, which a fine grid should have smaller: 5 m of noise
    on 5 m cells leaves nothing to learn.
    One tile in five is left clean, so that the net learns to keep a good DEM as it is.
    """
    if rng.random() < 0.2:
        return Degradation(void_share=0.004 if rng.random() < 0.2 else 0.0)
    noise_sd_m = float(rng.uniform(0.3, max(largest_sd_m, 0.6))) if rng.random() < 0.93 else 0.0
    return Degradation(
        noise_sd_m=noise_sd_m,
        correlation_cells=float(np.exp(rng.uniform(np.log(0.5), np.log(4.0)))),
        stripe_sd_m=float(rng.uniform(0.0, 0.5)) * noise_sd_m if rng.random() < 0.4 else 0.0,
        stripe_angle_deg=float(rng.uniform(0.0, 180.0)),
        stripe_wavelength_cells=float(rng.uniform(4.0, 16.0)),
        blur_cells=float(rng.uniform(0.3, 1.0)) if rng.random() < 0.15 else 0.0,
        quantum_m=1.0 if rng.random() < 0.6 else 0.0,
        void_share=float(rng.uniform(0.0, 0.01)) if rng.random() < 0.25 else 0.0,
    )


def _blur(elevation: NDArray[np.float32], sd_cells: float) -> NDArray[np.float32]:
    """Gaussian blur over valid cells only; edges and voids lend no height to their neighbours."""
    radius = int(np.ceil(4.0 * sd_cells))
    offsets = np.arange(-radius, radius + 1)
    kernel = np.exp(-0.5 * (offsets / sd_cells) ** 2)
    valid = np.isfinite(elevation)
    reference = float(elevation[valid].mean()) if valid.any() else 0.0
    total = np.where(valid, elevation - reference, 0.0).astype(np.float64)
    weight = valid.astype(np.float64)
    for axis in (0, 1):
        total = _convolve(total, kernel, axis)
        weight = _convolve(weight, kernel, axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        blurred = total / weight + reference
    return np.where(valid, blurred, np.nan).astype(np.float32)


def _convolve(
    values: NDArray[np.float64], kernel: NDArray[np.float64], axis: int
) -> NDArray[np.float64]:
    """Convolution with a short kernel along one axis, zeros outside."""
    radius = len(kernel) // 2
    padding = [(0, 0), (0, 0)]
    padding[axis] = (radius, radius)
    padded = np.pad(values, padding)
    size = values.shape[axis]
    out = np.zeros_like(values)
    for offset, weight in enumerate(kernel):
        window = padded[offset : offset + size] if axis == 0 else padded[:, offset : offset + size]
        out += weight * window
    return out


def _stripes(
    shape: tuple[int, int], how: Degradation, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Offsets that depend only on the distance across the stripes; unit: metres.

    The profile is noise of the given wavelength (correlation length a third of it), so that
    neighbouring stripes differ as they do in SRTM.
    """
    angle = np.deg2rad(how.stripe_angle_deg)
    rows, cols = np.meshgrid(np.arange(shape[0]), np.arange(shape[1]), indexing="ij")
    across = rows * np.cos(angle) + cols * np.sin(angle)
    across -= across.min()
    length = int(np.ceil(across.max())) + 2
    profile = correlated_noise((1, length), how.stripe_wavelength_cells / 3.0, rng)[0]
    offsets = np.interp(across, np.arange(length), profile)
    stripes: NDArray[np.float32] = (how.stripe_sd_m * offsets).astype(np.float32)
    return stripes


def _voids(shape: tuple[int, int], share: float, rng: np.random.Generator) -> NDArray[np.bool_]:
    """Round holes of radius 0.5 to 4 cells (our choice) that cover about `share` of the cells."""
    holes = np.zeros(shape, dtype=bool)
    mean_area = np.pi * (0.5**2 + 0.5 * 4.0 + 4.0**2) / 3.0  # mean of pi r^2, r uniform
    for _ in range(int(rng.poisson(share * shape[0] * shape[1] / mean_area))):
        radius = float(rng.uniform(0.5, 4.0))
        row, col = rng.uniform(0, shape[0]), rng.uniform(0, shape[1])
        top, left = max(int(row - radius), 0), max(int(col - radius), 0)
        bottom, right = int(row + radius) + 2, int(col + radius) + 2
        part = holes[top:bottom, left:right]
        rr = np.arange(top, top + part.shape[0])[:, None] - row
        cc = np.arange(left, left + part.shape[1])[None, :] - col
        part |= rr**2 + cc**2 <= radius**2
    return holes
