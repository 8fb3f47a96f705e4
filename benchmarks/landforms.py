"""The accuracy table and the speed of the shipped landform model, measured again.

    python benchmarks/landforms.py --data DIR [--model models/landforms-v1.onnx]

prints what its card says: model, exact geomorphons and a random forest on the held-out DEMs.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from geotools.training.landforms.__main__ import evaluate
from geotools.training.landforms.card import score_tables
from geotools.training.landforms.export import measure_speed, open_session

SHIPPED = Path(__file__).parents[1] / "models" / "landforms-v1.onnx"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with the DEMs")
    parser.add_argument("--model", type=Path, default=SHIPPED)
    parser.add_argument("--seed", type=int, default=1, help="of the random forest")
    options = parser.parse_args()
    session = open_session(options.model)
    scores = evaluate(
        options.data,
        session,
        seed=options.seed,
        progress=lambda text: print(text, file=sys.stderr, flush=True),
    )
    print(score_tables(scores))
    print(f"\n{measure_speed(session):.2f} million cells per CPU-second on one thread")


if __name__ == "__main__":
    main()
