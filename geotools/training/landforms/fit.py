"""Fitting a landform net: one loop, a fixed number of steps, seeds, atomic checkpoints."""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from geotools.io.atomic import write_atomic
from geotools.training.landforms.dataset import Batch, TileSampler
from geotools.training.landforms.horizons import horizon_tangents
from geotools.training.landforms.nets import LandformNet

_WARM_UP = 300

__all__ = ["FitConfig", "Progress", "fit", "load_checkpoint", "save_checkpoint", "teach_table"]


@dataclass(frozen=True, kw_only=True)
class FitConfig:
    """How a net is fitted. The number of steps is fixed: a clock would not be reproducible."""

    denoise_steps: int
    """Batches from which the denoiser learns alone, before the forms."""

    steps: int
    """Batches from which both learn."""

    learning_rate: float = 2e-3
    """AdamW's, after a warm-up of 300 steps, before it falls along a cosine to a hundredth."""

    weight_decay: float = 1e-4
    """AdamW's."""

    denoise_weight: float = 1.0
    """Weight of the denoising loss beside the cross-entropy of the forms."""

    low_precision: bool = True
    """Convolutions in bfloat16, where the CPU has it; three times faster."""


@dataclass(frozen=True)
class Progress:
    """What a callback learns after each step."""

    forms: bool
    """False while the denoiser learns alone."""
    step: int
    """Steps of this part done, from 1."""
    steps: int
    """Steps of this part to do."""
    forms_loss: float
    """Cross-entropy of the forms in this batch."""
    denoise_loss: float
    """Denoising loss in this batch."""


def fit(
    net: LandformNet,
    sampler: TileSampler,
    config: FitConfig,
    *,
    progress: Callable[[Progress], None] = lambda _: None,
) -> None:
    """Fits the net in place.

    Args:
        net: moved to channels-last memory, in which oneDNN's convolutions are fastest.
        sampler: where batches come from.
        config: how.
        progress: called after every step.
    """
    net.train()
    net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    net.low_precision = config.low_precision and _has_bfloat16()
    _loop(net, sampler, config, config.denoise_steps, forms=False, progress=progress)
    _loop(net, sampler, config, config.steps, forms=True, progress=progress)
    net.low_precision = False
    net.eval()


def _loop(
    net: LandformNet,
    sampler: TileSampler,
    config: FitConfig,
    steps: int,
    *,
    forms: bool,
    progress: Callable[[Progress], None],
) -> None:
    """One fall of the learning rate; without `forms` only the denoiser learns."""
    optimizer = torch.optim.AdamW(
        net.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
    )
    # Each operation on one thread, half a batch on each of two: no waiting between operations.
    torch.set_num_threads(1)
    pool = ThreadPoolExecutor(2)
    for step in range(1, steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = config.learning_rate * _schedule(step, steps)
        two = halves(sampler.next())
        parts = list(pool.map(lambda part: _gradients(net, part, config, forms), two))
        for parameter, *gradients in zip(
            net.parameters(), *(part[0] for part in parts), strict=True
        ):
            known = [gradient for gradient in gradients if gradient is not None]
            parameter.grad = torch.stack(known).mean(0) if known else None
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        forms_loss, denoise_loss = np.mean([part[1:] for part in parts], axis=0)
        progress(Progress(forms, step, steps, float(forms_loss), float(denoise_loss)))
    pool.shutdown()


def _gradients(
    net: LandformNet, batch: Batch, config: FitConfig, forms: bool
) -> tuple[tuple[Tensor | None, ...], float, float]:
    """Gradients by parameter (None: not involved), and both losses."""
    forms_loss, denoise_loss = losses(net, batch, forms=forms)
    loss = forms_loss + config.denoise_weight * denoise_loss
    gradients = torch.autograd.grad(loss, list(net.parameters()), allow_unused=True)
    return gradients, float(forms_loss.detach()), float(denoise_loss.detach())


def halves(batch: Batch) -> list[Batch]:
    """The batch in two, always in the same way, so that sums do not depend on the cores."""
    middle = len(batch.labels) // 2
    return [
        Batch(batch.elevation[part], batch.cell_size[part], batch.labels[part], batch.clean[part])
        for part in (slice(None, middle), slice(middle, None))
    ]


def teach_table(net: LandformNet, sampler: TileSampler, *, steps: int = 1500, seed: int) -> float:
    """Fits the head alone to geomorphons of clean tiles, and returns the last loss.

    After this the untrained denoiser passes the DEM unchanged and the net is the exact algorithm,
    to a per cent; what is left to learn is the noise. A few thousand cells a step, half of them
    drawn alike from all forms, so that the rare ones are known too.
    """
    parts, codes = [], []
    for _ in range(24):
        batch = sampler.next()
        clean = torch.from_numpy(batch.clean)
        valid = torch.isfinite(clean).to(clean.dtype)
        sizes = torch.from_numpy(batch.cell_size)
        tangents = horizon_tangents(torch.nan_to_num(clean), valid, sizes, net.config.search)
        labels = torch.from_numpy(batch.labels)
        known = labels >= 0
        parts.append(tangents.permute(0, 2, 3, 1)[known])  # (cells, 32)
        codes.append(labels[known])
    cells, forms = torch.cat(parts), torch.cat(codes)  # (cells, 32), (cells,)
    rarity = 1.0 / torch.bincount(forms, minlength=net.config.forms).clamp(min=1)[forms]
    generator = torch.Generator().manual_seed(seed)
    head = [*net.hidden.parameters(), *net.mixed.parameters(), *net.output.parameters()]
    optimizer = torch.optim.AdamW(head, lr=1e-2, weight_decay=0.0)
    loss = torch.zeros(())
    even = torch.multinomial(rarity, 2**18, replacement=True, generator=generator)
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 1e-2 * _schedule(_WARM_UP + step, _WARM_UP + steps)
        some = torch.randint(len(forms), (2048,), generator=generator)
        rare = even[torch.randint(len(even), (2048,), generator=generator)]
        chosen = torch.cat([some, rare])
        hidden = torch.zeros(1, net.config.width, len(chosen), 1)
        logits = net.forms_of(cells[chosen].T[None, :, :, None], net.trust, hidden)
        loss = functional.cross_entropy(logits, forms[chosen][None, :, None])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return float(loss.detach())


def losses(net: LandformNet, batch: Batch, *, forms: bool = True) -> tuple[Tensor, Tensor]:
    """Cross-entropy of the forms, and Huber loss of the denoised heights.

    Height errors are measured in units of the tile's own damage (root mean square) and of the
    height of two flatness thresholds at one cell, so that tiles of all noises and cell sizes teach
    alike, and a clean tile does not forbid what helps a noisy one that looks like it. Cells without
    a label are in neither loss. Without `forms` the cross-entropy is 0.
    """
    elevation, clean = torch.from_numpy(batch.elevation), torch.from_numpy(batch.clean)
    labels = torch.from_numpy(batch.labels)  # (N, H, W)
    cell_size = torch.from_numpy(batch.cell_size)
    if forms:
        logits, denoised = net.logits(elevation, cell_size)
        forms_loss = functional.cross_entropy(logits, labels, ignore_index=-1)
    else:
        denoised = net.denoise(elevation, cell_size)[0]
        forms_loss = torch.zeros(())
    labelled = (labels >= 0)[:, None]  # (N, 1, H, W)
    zero = torch.zeros(())
    damage = torch.where(labelled, elevation - clean, zero)
    flat = math.tan(math.radians(net.config.flat_deg)) * cell_size.mean((1, 2, 3), keepdim=True)
    unit = torch.sqrt((damage**2).mean((1, 2, 3), keepdim=True) + (2.0 * flat) ** 2)  # (N, 1, 1, 1)
    error = torch.where(labelled, (denoised - clean) / unit, zero)
    return forms_loss, functional.smooth_l1_loss(error, torch.zeros_like(error))


def save_checkpoint(net: LandformNet, path: Path, *, minutes: float) -> None:
    """Writes the weights and the minutes spent; a file of that name is always whole."""
    with write_atomic(path, overwrite=True) as part:
        torch.save({"net": net.state_dict(), "minutes": minutes}, part)


def load_checkpoint(net: LandformNet, path: Path) -> float:
    """Reads weights into `net`, ready for use, and returns the minutes spent on them."""
    content = torch.load(path, weights_only=True)
    net.load_state_dict(content["net"])
    net.eval()
    return float(content["minutes"])


def _schedule(step: int, steps: int) -> float:
    """Share of the learning rate: a line over 300 steps, then a cosine to one hundredth."""
    return min(1.0, step / _WARM_UP) * (
        0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * step / steps))
    )


def _has_bfloat16() -> bool:
    """Whether this CPU multiplies bfloat16 itself; emulated, it is slower than float32."""
    check = getattr(torch.cpu, "_is_avx512_bf16_supported", None)
    return bool(check and check())
