"""What int8 and float16 cost and gain: models against their own variants, on real rasters.

    python benchmarks/quantize.py landforms-v1 --on DEM.tif [--on DEM.tif ...]
    python benchmarks/quantize.py RUN --on RASTER

writes both variants with `geotools export --quantize` and no floor, and prints agreement and
differences of probabilities on windows that nothing was measured on, CPU-seconds of the model over
those of the variant (one thread, interleaved in one process), and the sizes of the files.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from geotools.maps.export import model_file
from geotools.maps.quantize import quantize_for


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("model", help="an .onnx file, the folder of a training, or a name")
    parser.add_argument("--on", action="append", required=True, help="a raster, as often as needed")
    options = parser.parse_args()
    before = model_file(options.model).stat().st_size
    print("| variant | as before | mean difference | largest | speed | MB | cells | nodes |")
    print("|---|---|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("int8", "fp16"):
            path = Path(folder) / f"{kind}.onnx"
            found = quantize_for(options.model, path, options.on, kind=kind, floor=0.0).parity
            print(
                f"| {kind} | {found['agreement']:.2%} | {found['mean_difference']:.1e} "
                f"| {found['max_difference']:.2g} | {found['speed']:.2f} "
                f"| {path.stat().st_size / 1e6:.2f} of {before / 1e6:.2f} | {found['cells']:,} "
                f"| {found['nodes']} |"
            )


if __name__ == "__main__":
    main()
