"""Every training of examples/train/ on its real data, in one table.

    python benchmarks/train.py --data DIR [--sets NAME ...] [--learners auto unet] -o RUNS

runs `geotools train` once for each set and learner, on two cores unless told otherwise, and prints
score, interval, floor, baselines, minutes (wall and CPU), size of the `.onnx` and the parity
figure. DIR holds a folder for each set. Runs that are complete in RUNS are read, not repeated.
With `--init landforms-v1`, which takes the elevation itself, that becomes the first feature of sets
that do without it.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
import tomllib
from pathlib import Path

EXAMPLES = Path(__file__).parents[1] / "examples" / "train"

FLOORS = {
    "landform_kagwene": 0.94, "landslide_ecuador": 0.65, "glacier_exploradores": 0.60,
    "landcover_chiapas_l7": 0.82, "landcover_laselva": 0.91, "landcover_zion": 0.27,
    "landcover_oriximina_s2": 0.98, "soil_eberg": 0.35, "tabular_satimage": None,
    "buildings_atlanta": None, "craters_moon": None, "landcover_laselva_bitemporal": 0.97,
    "sinks_lidar": None,
}  # fmt: skip
"""Score of an earlier random forest with one seed, by the metric of the set; ±.02 is noise. Of the
table of Satimage, the buildings, the craters and the sinks there was none."""

NETS = {
    "landform_kagwene": ("unet",), "landcover_zion": ("unet",), "craters_moon": ("unet",),
    "sinks_lidar": ("unet",),
}  # fmt: skip
"""Sets that are tried with a net as well: the surroundings of a cell should tell something."""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with a folder per set")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for the runs")
    parser.add_argument("--sets", nargs="*", default=list(FLOORS), choices=list(FLOORS))
    parser.add_argument("--learners", nargs="*", help="instead of each set's own, and unet")
    parser.add_argument("--init", help="what nets start from, such as landforms-v1")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)
    rows = []
    for name in options.sets:
        for learner in options.learners or (None, *NETS.get(name, ())):
            rows.append(run(name, learner, options))
            print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    print(table(rows))


def run(name: str, learner: str | None, options: argparse.Namespace) -> dict[str, object]:
    """The figures of one training."""
    words = [
        name,
        learner or "own",
        f"seed{options.seed}",
        *([Path(options.init).name] if options.init else []),
    ]
    folder = options.output / "-".join(words)
    minutes = folder.with_suffix(".minutes")
    if not (folder / "evaluation.json").exists():
        command = [
            sys.executable, "-m", "geotools", "train", str(configuration(name, options)),
            "-o", str(folder), "--data", str(options.data), "--seed", str(options.seed),
            "--progress", "none",
        ]  # fmt: skip
        for flag, value in (("--learner", learner), ("--init", options.init)):
            command += [flag, value] if value else []
        start, spent = time.monotonic(), cpu_seconds()
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            return {"set": name, "learner": learner or "own", "error": done.stderr.strip()[-300:]}
        wall = (time.monotonic() - start) / 60
        minutes.write_text(f"{wall:.2f} {(cpu_seconds() - spent) / 60:.2f}")
    found = json.loads((folder / "evaluation.json").read_text())
    took = [float(word) for word in minutes.read_text().split()] if minutes.exists() else []
    return {
        "set": name,
        "asked": learner or "own",
        "learner": found["learner"],
        "metric": found["metric"],
        "score": found["score"],
        "interval": found["interval"],
        "floor": FLOORS[name],
        "baselines": found["baselines"],
        "nested": (found.get("nested") or {}).get("value"),
        "learners": [[row["name"], row["validation"], row["test"]] for row in found["learners"]],
        "minutes": took[0] if took else None,
        "cpu_minutes": took[1] if len(took) > 1 else None,
        "bytes": (folder / "model.onnx").stat().st_size,
        "parity": found["parity"].get("max_difference"),
        "split": found["split"],
    }


def configuration(name: str, options: argparse.Namespace) -> Path:
    """The TOML of a set; with `init` one in which the elevation is a feature."""
    path = EXAMPLES / f"{name}.toml"
    values = tomllib.loads(path.read_text(encoding="utf-8"))
    bare = [one["name"] for one in values.get("inputs", ()) if one.get("role") == "elevation"]
    if not options.init or not bare or bare[0] in values["features"]:
        return path
    text = path.read_text(encoding="utf-8")
    other = options.output / f"{name}-with-{bare[0]}.toml"
    other.write_text(
        text.replace("features = [", f'features = ["{bare[0]}", ', 1), encoding="utf-8"
    )
    return other


def cpu_seconds() -> float:
    """CPU time of all processes that have been run and waited for, in seconds."""
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def table(rows: list[dict[str, object]]) -> str:
    """Markdown."""
    lines = [
        "| set | metric | learner | score (95 %) | floor | random forest | majority | minutes "
        "| CPU minutes | MB | parity |",
        "|---|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if "error" in row:
            lines.append(f"| {row['set']} | | {row['learner']} | {row['error']} | | | | | | | |")
            continue
        low, high = (float("nan") if end is None else end for end in row["interval"])
        baselines = dict(row["baselines"])
        forest = baselines.pop("random forest", float("nan"))
        other = next(iter(baselines.values()), float("nan"))
        floor = "" if row["floor"] is None else f"{row['floor']:.2f}"
        asked = "" if row["asked"] in ("own", row["learner"]) else f" (of {row['asked']})"
        wall, spent = (
            "" if row[key] is None else f"{row[key]:.1f}" for key in ("minutes", "cpu_minutes")
        )
        lines.append(
            f"| {row['set']} | {row['metric']} | {row['learner']}{asked} | {row['score']:.3f} "
            f"({low:.3f} to {high:.3f}) | {floor} | {forest:.3f} | {other:.3f} | {wall} "
            f"| {spent} | {row['bytes'] / 1e6:.2f} | {row['parity']:.1e} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
