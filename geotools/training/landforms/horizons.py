"""Horizon tangents in eight directions as a differentiable layer: the geometry of geomorphons.

The same numbers come in two ways: a numba kernel with its own gradient, fast enough to train
through, and plain slices, maxima and products, which export to ONNX. Tests hold them equal.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from geotools.compiled import compiled

__all__ = ["DIRECTIONS", "MAX_STEPS", "horizon_tangents", "horizon_tangents_slices"]

DIRECTIONS = ((-1, 1), (-1, 0), (-1, -1), (0, -1), (1, -1), (1, 0), (1, 1), (0, 1))
"""(row, column) step of each direction, in r.geomorphon's order: NE, N, NW, W, SW, S, SE, E."""

MAX_STEPS = 20
"""Most cells that a ray visits east-west: search 10 over cells half as wide as high, which is a
geographic grid at 60 degrees of latitude. Rays along rows are cut there beyond."""

NEAR = 2
"""Steps that count as near; noise tilts the near sight most, the far sight is steadier."""

MISSING = 1e7
"""Height, metres, that keeps a missing cell out of a maximum or minimum."""

NO_SIGHT = 1e3
"""Tangents beyond this mean that no cell was seen."""

IN_RANGE = 1.0 - 1e-5
"""Rays end strictly before the search distance; the margin absorbs float32 rounding."""


def steps(search: int) -> tuple[int, ...]:
    """Most cells visited in each direction, 8 integers."""
    return tuple(2 * search if row == 0 else search - 1 for row, _ in DIRECTIONS)


def horizon_tangents(elevation: Tensor, valid: Tensor, cell_size: Tensor, search: int) -> Tensor:
    """Largest and smallest tangent to the cells of each ray, with gradient to the elevation.

    Args:
        elevation: (N, 1, H, W) metres, filled where invalid.
        valid: (N, 1, H, W), 1 = use, 0 = the cell is seen by no ray.
        cell_size: (N, 2, H, 1) metres, x then y.
        search: rays end before `search` times the north-south cell size of their row.

    Returns:
        (N, 32, H, W): eight largest tangents to near cells, eight smallest, then the same for far
        cells. Where only near or only far cells are seen the others are equal to them; 0 where
        none is seen.
    """
    result: Tensor = _Horizons.apply(elevation, valid, cell_size, search)  # type: ignore[no-untyped-call]
    return result


def horizon_tangents_slices(
    elevation: Tensor, valid: Tensor, cell_size: Tensor, search: int
) -> Tensor:
    """The same as `horizon_tangents`, of slices only (for export)."""
    across = 2 * search
    missing = MISSING * (1.0 - valid)
    # A minimum is the negative maximum of the negative heights: both run as one tensor.
    centre = torch.cat([elevation, -elevation], 1)  # (N, 2, H, W)
    seen = torch.cat([elevation * valid - missing, -elevation * valid - missing], 1)
    frame = (across, across, search, search)
    seen = functional.pad(seen, frame, value=-MISSING)  # (N, 2, H + 2 search, W + 4 search)
    x, y = cell_size[:, :1], cell_size[:, 1:]  # (N, 1, H, 1) each
    limit = search * y * IN_RANGE
    near, far = [], []
    for (row, col), count in zip(DIRECTIONS, steps(search), strict=True):
        step = torch.sqrt((col * x) ** 2 + (row * y) ** 2)  # (N, 1, H, 1)
        best = [torch.full_like(centre, -MISSING) for _ in range(2)]  # (N, 2, H, W): near, far
        for j in range(1, count + 1):
            distance = j * step
            target = _shifted(seen, j * row, j * col, search, across)
            tangent = (target - centre) / distance
            if j > search // 4:
                # Out of range: -MISSING after the product, whatever the heights are.
                tangent = tangent + torch.where(distance < limit, 0.0, -MISSING)  # (N, 1, H, 1)
            part = 0 if j <= NEAR else 1
            best[part] = torch.maximum(best[part], tangent)
        far_only = torch.where(best[1] > -NO_SIGHT, best[1], torch.zeros_like(best[1]))
        near.append(torch.where(best[0] > -NO_SIGHT, best[0], far_only))
        far.append(torch.where(best[1] > -NO_SIGHT, best[1], near[-1]))
    planes = []
    for parts in (near, far):
        planes += [part[:, :1] for part in parts] + [-part[:, 1:] for part in parts]
    return torch.cat(planes, 1)  # (N, 32, H, W)


def _shifted(padded: Tensor, row: int, col: int, frame_rows: int, frame_cols: int) -> Tensor:
    """The part of `padded` that lies (row, col) cells away; open ends leave sizes free."""
    bottom = row - frame_rows
    right = col - frame_cols
    return padded[
        ...,
        frame_rows + row : bottom if bottom < 0 else None,
        frame_cols + col : right if right < 0 else None,
    ]


class _Horizons(torch.autograd.Function):
    """The numba kernel and its gradient: each extreme depends on one target and the centre."""

    @staticmethod
    def forward(
        ctx: Any, elevation: Tensor, valid: Tensor, cell_size: Tensor, search: int
    ) -> Tensor:
        heights = elevation.detach()[:, 0].contiguous().numpy()
        use = valid.detach()[:, 0].contiguous().numpy() > 0.5
        cells = cell_size.detach()[..., 0].contiguous().numpy()
        tangents, where = _scan(heights, use, cells, search, np.array(steps(search)))
        ctx.where, ctx.cells = where, cells
        return torch.from_numpy(tangents)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None, None]:
        out = _scatter(gradient.contiguous().numpy(), ctx.where, ctx.cells)
        return torch.from_numpy(out)[:, None], None, None, None


_ROW = np.array([row for row, _ in DIRECTIONS])
_COL = np.array([col for _, col in DIRECTIONS])


@compiled()
def _scan(
    heights: NDArray[np.float32],
    use: NDArray[np.bool_],
    cells: NDArray[np.float32],
    search: int,
    counts: NDArray[np.int64],
) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """(N, 32, H, W) tangents and the step at which each was found (0: nothing seen)."""
    n, rows, cols = heights.shape
    tangents = np.zeros((n, 32, rows, cols), np.float32)
    where = np.zeros((n, 32, rows, cols), np.uint8)
    for flat in range(n * rows):
        i, r = flat // rows, flat % rows
        x, y = cells[i, 0, r], cells[i, 1, r]
        limit = search * y * np.float32(IN_RANGE)
        for k in range(8):
            dr, dc = _ROW[k], _COL[k]
            step = np.float32(np.sqrt((dc * x) ** 2 + (dr * y) ** 2))
            for j in range(1, counts[k] + 1):
                rr = r + j * dr
                distance = np.float32(j * step)
                if rr < 0 or rr >= rows or distance >= limit:
                    break
                inverse = np.float32(1.0) / distance
                high = k if j <= NEAR else k + 16
                for c in range(max(0, -j * dc), min(cols, cols - j * dc)):
                    cc = c + j * dc
                    if use[i, rr, cc]:
                        t = (heights[i, rr, cc] - heights[i, r, c]) * inverse
                        if where[i, high, r, c] == 0:
                            tangents[i, high, r, c] = t
                            tangents[i, high + 8, r, c] = t
                            where[i, high, r, c] = j
                            where[i, high + 8, r, c] = j
                        elif t > tangents[i, high, r, c]:
                            tangents[i, high, r, c] = t
                            where[i, high, r, c] = j
                        elif t < tangents[i, high + 8, r, c]:
                            tangents[i, high + 8, r, c] = t
                            where[i, high + 8, r, c] = j
            for plane in (k, k + 8):
                for c in range(cols):
                    if where[i, plane, r, c] == 0:
                        tangents[i, plane, r, c] = tangents[i, plane + 16, r, c]
                        where[i, plane, r, c] = where[i, plane + 16, r, c]
                    elif where[i, plane + 16, r, c] == 0:
                        tangents[i, plane + 16, r, c] = tangents[i, plane, r, c]
                        where[i, plane + 16, r, c] = where[i, plane, r, c]
    return tangents, where


@compiled()
def _scatter(
    gradient: NDArray[np.float32], where: NDArray[np.uint8], cells: NDArray[np.float32]
) -> NDArray[np.float32]:
    """(N, H, W) gradient with respect to the heights; on one thread, so sums keep order."""
    n, _, rows, cols = gradient.shape
    out = np.zeros((n, rows, cols), np.float32)
    for i in range(n):
        for plane in range(32):
            k = plane % 8
            dr, dc = _ROW[k], _COL[k]
            for r in range(rows):
                x, y = cells[i, 0, r], cells[i, 1, r]
                step = np.float32(np.sqrt((dc * x) ** 2 + (dr * y) ** 2))
                for c in range(cols):
                    j = where[i, plane, r, c]
                    if j > 0:
                        g = gradient[i, plane, r, c] / (j * step)
                        out[i, r + j * dr, c + j * dc] += g
                        out[i, r, c] -= g
    return out
