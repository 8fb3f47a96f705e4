"""Tiny scenes to train on: files in a folder, and configurations of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from conftest import make_grid, make_terrain, write_tif

SIZE = 48
"""Cells on a side."""


def make_scene(folder: Path, *, size: int = SIZE) -> Path:
    """A folder with an elevation model, labels that it explains, values, dates and a table."""
    folder.mkdir(exist_ok=True)
    terrain, grid = make_terrain(size, size), make_grid(size, size)
    high = terrain > np.median(terrain)
    rng = np.random.default_rng(0)
    write_tif(folder / "dem.tif", terrain, grid)
    write_tif(folder / "east.tif", terrain, make_grid(size, size, left=600_000.0))
    write_tif(folder / "labels.tif", np.where(high, 4, 2).astype(np.uint8), grid, nodata=0)
    write_tif(
        folder / "labels_east.tif", np.where(high, 4, 2).astype(np.uint8),
        make_grid(size, size, left=600_000.0), nodata=0,
    )  # fmt: skip
    values = terrain / 100 + rng.normal(0, 0.05, terrain.shape)
    write_tif(folder / "values.tif", values.astype(np.float32), grid, nodata=-1)
    for number in (1, 2, 3):
        bands = np.stack([terrain * number / 10, -terrain + number]).astype(np.float32)
        write_tif(folder / f"200{number}.tif", bands, grid)
    rows = pd.DataFrame({"a": rng.normal(size=300), "b": rng.normal(size=300)})
    rows["kind"] = np.where(rows["a"] > 0, "up", "down")
    rows["depth"] = 2 * rows["a"] + rng.normal(0, 0.1, 300)
    rows.to_csv(folder / "rows.csv", index=False)
    return folder


def settings(
    learner: str | dict[str, Any] = "forest",
    *,
    inputs: Any = None,
    labels: Any = "labels.tif",
    split: Any = None,
    **others: Any,
) -> dict[str, Any]:
    """What a configuration of that scene holds."""
    chosen = {"name": learner} if isinstance(learner, str) else learner
    if chosen["name"] == "forest":
        chosen = {"trees": 8, **chosen}
    return {
        "name": "hills",
        "inputs": [inputs if isinstance(inputs, dict) else {"name": "dem", "path": "dem.tif"}],
        "labels": labels if isinstance(labels, dict) else {"path": labels},
        "split": split or {"kind": "blocks", "size_m": 240.0, "folds": 2},
        "learner": chosen,
        **others,
    }


def table_settings(target: str, learner: str, **others: Any) -> dict[str, Any]:
    """What a configuration of the table holds."""
    table = {"path": "rows.csv", "target": target, "features": ["a", "b"]}
    return {
        "name": "rows", "table": table, "split": {"folds": 2}, "learner": {"name": learner},
        **others,
    }  # fmt: skip


def as_toml(values: dict[str, Any]) -> str:
    """The same as text; JSON is TOML but for the sign between key and value."""

    def told(value: Any) -> str:
        if isinstance(value, dict):
            inside = ", ".join(f"{json.dumps(key)} = {told(one)}" for key, one in value.items())
            return f"{{ {inside} }}"
        if isinstance(value, list):
            return f"[{', '.join(map(told, value))}]"
        return json.dumps(value)

    return "".join(f"{key} = {told(value)}\n" for key, value in values.items())


def write_toml(path: Path, values: dict[str, Any]) -> Path:
    """The configuration as a file."""
    path.write_text(as_toml(values), encoding="utf-8")
    return path
