"""run: the one loop in which all nets are fitted; AdamW, warm-up, cosine, early stopping."""

from __future__ import annotations

import contextlib
import copy
import math
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from geotools.errors import LabelsError, ModelError
from geotools.training.learners.batches import Batch, Feed, Reader
from geotools.training.learners.checkpoint import Checkpoint, generator_state, restore_generator
from geotools.training.learners.losses import Loss
from geotools.training.learners.protocol import Epoch

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["Plan", "Validation", "outputs_at", "reproducible", "run"]

_T = TypeVar("_T")

_WARM_UP = 0.05
"""Share of all steps over which the learning rate rises."""

_STEEPEST = 1.0
"""Norm that gradients are cut to."""

_MEMORY = 0.05
"""Share of all steps over which weights are averaged (Polyak & Juditsky 1992): single steps wander,
their mean is what is judged and kept."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how fast."""

    epochs: int
    """Epochs at most."""
    patience: int | None
    """Epochs without a better validation loss; None: all epochs are run."""
    weight_decay: float
    """AdamW's."""
    device: torch.device
    """Where it is computed."""


@dataclass(frozen=True, slots=True, eq=False)
class Validation:
    """The cells that decide when to stop."""

    index: NDArray[np.intp]
    """(n,) the cells."""
    target: Tensor
    """(n,) what they are."""
    score: Callable[[NDArray[np.float32], NDArray[Any]], float]
    """From (n, K) outputs and (n,) targets to the metric."""


def run(
    nets: nn.ModuleList,
    feed: Feed,
    loss: Loss,
    plan: Plan,
    rates: list[dict[str, Any]],
    *,
    seed: int,
    validation: Validation | None,
    checkpoint: Checkpoint,
    progress: Callable[[Epoch], None] | None = None,
) -> tuple[list[Epoch], int]:
    """The curve and the best epoch; the nets are left with the weights of that epoch.

    Several nets go side by side, each with its own batches, and stop together.

    Args:
        nets: what is fitted, in place.
        feed: where batches come from.
        loss: what is made small.
        plan: how long and how fast.
        rates: groups of parameters with their learning rates, as AdamW takes them.
        seed: of the first net; the others follow.
        validation: what decides; None: the last epoch is the best.
        checkpoint: where the state is kept; a fit that was ended goes on there.
        progress: called after every epoch.

    Raises:
        LabelsError: nothing is defined where the labels are.
        ModelError: the loss is no longer a number.
    """
    rngs = [np.random.default_rng([seed + number, 1]) for number in range(len(nets))]
    optimizer = torch.optim.AdamW(rates, weight_decay=plan.weight_decay)
    highest = [group["lr"] for group in optimizer.param_groups]
    steps = plan.epochs * feed.steps
    curve: list[Epoch] = []
    average = copy.deepcopy(nets)
    best, best_loss, best_state = 0, math.inf, _copied(nets)

    if state := checkpoint.load():
        nets.load_state_dict(state["nets"])
        average.load_state_dict(state["average"])
        optimizer.load_state_dict(state["optimizer"])
        best, best_loss, best_state = state["best"], state["best_loss"], state["best_nets"]
        curve = [Epoch(*line) for line in state["curve"]]
        for rng, text in zip(rngs, state["generators"], strict=True):
            restore_generator(rng, text)
        _restore_torch(state["torch"], plan.device)

    def has_ended() -> bool:
        waited = plan.patience is not None and len(curve) - best >= plan.patience
        return len(curve) >= plan.epochs or waited

    while not has_ended():
        nets.train()
        step = len(curve) * feed.steps
        losses = []
        for batches in _ahead(zip(*(feed.draw(rng) for rng in rngs), strict=True)):
            step += 1
            for group, rate in zip(optimizer.param_groups, highest, strict=True):
                group["lr"] = rate * _share(step, steps)
            optimizer.zero_grad()
            for net, batch in zip(nets, batches, strict=True):
                error = _error(net, batch, loss, plan.device)
                if error is None:  # nothing in it is labelled and valid
                    continue
                error.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(net.parameters(), _STEEPEST)
                losses.append(float(error.detach()))
            optimizer.step()
            _follow(average, nets, 1.0 / (1.0 + min(step - 1.0, _MEMORY * steps)))

        if not losses:
            raise LabelsError(
                "No labelled cell has a feature that is defined: look at the rasters around them."
            )
        number, train_loss = len(curve) + 1, float(np.mean(losses))
        look, score = math.nan, math.nan
        if validation is not None:
            look, score = _look(average, feed, loss, validation, plan.device)
        if not math.isfinite(train_loss if validation is None else train_loss + look):
            raise ModelError(
                f"The loss is no longer a number in epoch {number}: lower learning_rate, and look "
                "for extreme values in the features."
            )
        if validation is None or look < best_loss:
            best, best_loss, best_state = number, look, _copied(average)
        curve.append(Epoch(number, train_loss, look, score))
        checkpoint.save(
            {
                "nets": nets.state_dict(),
                "average": average.state_dict(),
                "optimizer": optimizer.state_dict(),
                "best": best,
                "best_loss": best_loss,
                "best_nets": best_state,
                "curve": [
                    [line.number, line.train_loss, line.validation_loss, line.score]
                    for line in curve
                ],
                "generators": [generator_state(rng) for rng in rngs],
                "torch": _torch_state(plan.device),
            }
        )
        if progress is not None:
            progress(curve[-1])

    nets.load_state_dict(best_state)
    nets.eval()
    return curve, best


def outputs_at(
    net: nn.Module, reader: Reader, index: NDArray[np.intp], device: torch.device
) -> Tensor:
    """(n, K) outputs of the net at these cells, on the CPU."""
    found: Tensor | None = None
    with torch.inference_mode():
        for piece in reader.read(index):
            out = net(*(_on(array, device) for array in piece.inputs))  # (n, K) or (1, K, H, W)
            if piece.at is not None:
                rows, cols = (torch.from_numpy(at).to(device) for at in piece.at)
                out = out[0, :, rows, cols].T  # (n, K)
            if found is None:
                found = torch.empty(len(index), out.shape[1])
            found[torch.from_numpy(piece.place)] = out.cpu()
    return torch.empty(0, 1) if found is None else found.clone()


@contextlib.contextmanager
def reproducible(seed: int, device: torch.device, *, threads: int | None = None) -> Iterator[None]:
    """PyTorch that draws from this seed and sums in a fixed order; afterwards it is as before.

    Args:
        seed: of PyTorch's own draws.
        device: where is computed.
        threads: at most so many; None: as it is set.
    """
    cores = torch.get_num_threads()
    before = torch.are_deterministic_algorithms_enabled()
    warn = torch.is_deterministic_algorithms_warn_only_enabled()
    devices = [torch.cuda.current_device()] if device.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        # Elsewhere some operations have no such form.
        torch.use_deterministic_algorithms(device.type == "cpu")
        torch.set_num_threads(min(cores, threads or cores))
        try:
            yield
        finally:
            torch.set_num_threads(cores)
            torch.use_deterministic_algorithms(before, warn_only=warn)


def _error(net: nn.Module, batch: Batch, loss: Loss, device: torch.device) -> Tensor | None:
    """The loss of a batch, over the cells that are labelled and valid."""
    known = torch.from_numpy(batch.known).to(device)
    if not known.any():
        return None
    out = net(*(_on(array, device) for array in batch.inputs))  # (N, K) or (N, K, H, W)
    out = out.movedim(1, -1)[known]  # (n, K)
    return loss(out, torch.from_numpy(batch.target).to(device)[known])


def _look(
    nets: nn.ModuleList, feed: Feed, loss: Loss, validation: Validation, device: torch.device
) -> tuple[float, float]:
    """Mean loss of the nets on the validation cells, and the score of their mean."""
    nets.eval()
    outs = [outputs_at(net, feed, validation.index, device) for net in nets]  # (n, K) each
    error = float(np.mean([float(loss(out, validation.target)) for out in outs]))
    if len(nets) > 1 and outs[0].shape[1] > 1:
        outs = [torch.softmax(out, 1) for out in outs]
    mean = torch.stack(outs).mean(0)  # (n, K)
    return error, validation.score(mean.numpy(), validation.target.numpy())


def _follow(average: nn.ModuleList, nets: nn.ModuleList, share: float) -> None:
    """Moves averaged weights and running statistics by this share towards those of the nets."""
    with torch.no_grad():
        here = nets.state_dict()
        for name, value in average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(here[name], share)
            else:
                value.copy_(here[name])


def _share(step: int, steps: int) -> float:
    """Share of the learning rate: a line, then a cosine to one hundredth."""
    warm_up = max(1.0, _WARM_UP * steps)
    return min(1.0, step / warm_up) * (
        0.01 + 0.99 * 0.5 * (1.0 + math.cos(math.pi * step / max(steps, 1)))
    )


def _ahead(items: Iterator[_T]) -> Iterator[_T]:
    """The same items, the next one being made while one is used."""
    with ThreadPoolExecutor(1, thread_name_prefix="geotools") as pool:
        waiting = pool.submit(next, items, None)
        while (item := waiting.result()) is not None:
            waiting = pool.submit(next, items, None)
            yield item


def _on(array: NDArray[np.float32], device: torch.device) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(array)).to(device)


def _copied(nets: nn.ModuleList) -> dict[str, Tensor]:
    return {name: value.detach().cpu().clone() for name, value in nets.state_dict().items()}


def _torch_state(device: torch.device) -> list[Tensor]:
    """States of PyTorch's generators: the CPU's, and the device's."""
    states = [torch.get_rng_state()]
    if device.type == "cuda":
        states.append(torch.cuda.get_rng_state(device))
    if device.type == "mps":
        states.append(torch.mps.get_rng_state())
    return states


def _restore_torch(states: list[Tensor], device: torch.device) -> None:
    torch.set_rng_state(states[0])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states[1], device)
    if device.type == "mps":
        torch.mps.set_rng_state(states[1])
