"""The shipped landform model, from the training DEMs to the `.onnx` file and its card.

    python -m geotools.training.landforms --data DIR -o models/landforms-v1.onnx

fits the net, exports it with its proof, evaluates it on regions that it never saw and writes the
card beside it. Everything is seeded and the number of steps is fixed.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from geotools.io.records import sha256
from geotools.spec import InputInfo, ModelSpec, OutputInfo
from geotools.terrain.geomorphons import FORMS
from geotools.training.landforms.card import write_card
from geotools.training.landforms.dataset import (
    LABELS,
    Dem,
    TileSampler,
    find_dem,
    label_forms,
    open_dem,
)
from geotools.training.landforms.export import export_model, measure_speed, open_session, run_dem
from geotools.training.landforms.fit import (
    FitConfig,
    Progress,
    fit,
    load_checkpoint,
    save_checkpoint,
    teach_table,
)
from geotools.training.landforms.forest import fit_forest, predict_forest
from geotools.training.landforms.nets import LandformNet
from geotools.training.landforms.scores import Classifier, Score, score

__all__ = ["HELD_OUT", "TRAINING", "evaluate", "main", "model_spec"]

TRAINING = (
    "N42E001", "N44W072", "N46E008", "N49E011", "N50E011", "N49W123", "S29W072", "N00E010",
    "bigtujunga",
)  # fmt: skip
"""DEMs that the net learns from."""

HELD_OUT = ("S33W071", "N55W003", "N41E001", "msh_2000_10m", "volcano2hires")
"""DEMs that it never sees."""

LEARNED_SHARE = 0.875
"""The western part of each training DEM is learned from; the rest is kept for choosing settings."""

TILE = 96
BATCH = 4
DENOISE_STEPS = 600
STEPS = 9000

_FRAME = 96
"""Cells of NaN around a raster; no fewer than the halo."""


def main(arguments: list[str] | None = None) -> int:
    """Exit status of the command."""
    parser = argparse.ArgumentParser(
        prog="python -m geotools.training.landforms", description=(__doc__ or "").split("\n")[0]
    )
    parser.add_argument("--data", type=Path, required=True, help="folder with the DEMs")
    parser.add_argument("-o", "--output", type=Path, required=True, help="the .onnx file")
    parser.add_argument("--steps", type=int, default=STEPS, help="batches of four tiles")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--weights", type=Path, help="skip the fit: weights of an earlier run")
    options = parser.parse_args(arguments)
    torch.set_num_threads(1)
    dems = [open_dem(find_dem(options.data, name)) for name in TRAINING]
    net, minutes = _fitted(dems, options)
    spec = model_spec(options.seed, options.steps)
    spec = export_model(net, options.output, spec, dems)
    session = open_session(options.output)
    _say(f"halo {spec.halo}, parity {dict(spec.parity)}")
    scores = evaluate(options.data, session, seed=options.seed, progress=_say)
    facts = {
        "minutes": minutes,
        "threads": 2,
        "denoise_steps": min(DENOISE_STEPS, options.steps),
        "speed": measure_speed(session),
        "parameters": sum(p.numel() for p in net.parameters()),
        "bytes": options.output.stat().st_size,
        "sha256": sha256(options.output),
        "bfloat16": torch.cpu._is_avx512_bf16_supported(),
    }
    write_card(options.output.with_suffix(".md"), spec, scores, facts)
    return 0


def evaluate(data: Path, session: Any, *, seed: int, progress: Any) -> list[Score]:
    """The held-out table: the model in `session`, exact geomorphons, a random forest."""
    training = [open_dem(find_dem(data, name)) for name in TRAINING]
    progress("fit the random forest")
    forest = fit_forest(TileSampler(training, size=TILE, batch=BATCH, seed=seed + 100), seed=seed)

    def by_model(
        elevation: NDArray[np.float32], x_m: NDArray[np.float64], y_m: NDArray[np.float64]
    ) -> NDArray[np.uint8]:
        cells = np.stack([x_m, y_m]).astype(np.float32)
        codes: NDArray[np.uint8] = (run_dem(session, elevation, cells).argmax(0) + 1).astype(
            np.uint8
        )
        return codes

    def by_forest(
        elevation: NDArray[np.float32], x_m: NDArray[np.float64], y_m: NDArray[np.float64]
    ) -> NDArray[np.uint8]:
        return predict_forest(forest, elevation, x_m, y_m)

    methods: dict[str, Classifier] = {
        "model": by_model,
        "exact": label_forms,
        "forest": by_forest,
    }
    held_out = [open_dem(find_dem(data, name)) for name in HELD_OUT]
    return score(held_out, methods, slow=("forest",), progress=progress)


def model_spec(seed: int, steps: int) -> ModelSpec:
    """The spec of the shipped model, without what the export measures."""
    return ModelSpec(
        name="landforms-v1",
        version="1",
        task="semantic-segmentation",
        description="Ten landforms (geomorphons) of a DEM, seen through noise, stripes and voids.",
        inputs=(
            InputInfo("elevation", "raster", ("elevation",), "m"),
            InputInfo("cell_size", "cell_size", ("x", "y"), "m"),
        ),
        outputs=(OutputInfo("probabilities", "probabilities", FORMS),),
        cell_size_m=(5.0, 100.0),
        tile=512,  # two tiles at a time with their halo stay under 2 GB
        parameters=LABELS,
        training={
            "data": list(TRAINING),
            "held_out": list(HELD_OUT),
            "data_licence": "NASA/USGS SRTM, public domain",
            "seed": seed,
            "steps": steps,
            "command": "python -m geotools.training.landforms --data DIR -o FILE.onnx",
        },
        licence="BSD-3-Clause",
    )


def _fitted(dems: list[Dem], options: argparse.Namespace) -> tuple[LandformNet, float]:
    """The net and the minutes of its fit, or both from `--weights`; kept beside the output."""
    torch.manual_seed(options.seed)
    torch.use_deterministic_algorithms(True)
    net = LandformNet()
    if options.weights:
        return net, load_checkpoint(net, options.weights)
    learned = [dem.columns(0.0, LEARNED_SHARE) for dem in dems]
    sampler = TileSampler(learned, size=TILE, batch=BATCH, seed=options.seed)
    started = time.time()
    _say(f"table: loss {teach_table(net, sampler, seed=options.seed):.3f}")
    smooth = [0.0, 0.0]

    def report(progress: Progress) -> None:
        keep = min(0.98, 1.0 - 1.0 / progress.step)
        for index, value in enumerate((progress.forms_loss, progress.denoise_loss)):
            smooth[index] = keep * smooth[index] + (1.0 - keep) * value
        minutes = (time.time() - started) / 60.0
        if progress.step % 100 == 0:
            part = "forms" if progress.forms else "denoise"
            _say(
                f"{part} step {progress.step}/{progress.steps}: forms {smooth[0]:.3f}, "
                f"heights {smooth[1]:.3f}, {minutes:.0f} minutes"
            )
        if progress.forms and progress.step % 500 == 0:
            save_checkpoint(net, options.output.with_suffix(".pt"), minutes=minutes)

    fit(
        net,
        sampler,
        FitConfig(denoise_steps=min(DENOISE_STEPS, options.steps), steps=options.steps),
        progress=report,
    )
    minutes = (time.time() - started) / 60.0
    save_checkpoint(net, options.output.with_suffix(".pt"), minutes=minutes)
    return net, minutes


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
