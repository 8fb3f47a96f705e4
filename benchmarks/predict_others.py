"""The engine against GeoDeep and TorchGeo on the same `.onnx` and the same output.

    python benchmarks/predict_others.py --geodeep PYTHON --torchgeo PYTHON [--k 20] [--repeat 3]

PYTHON is the interpreter of an environment that holds `geodeep`, or `torchgeo` and `onnxruntime`.
All read one uint8 raster of three bands with a side of 256 + 192 k, run tiles of 256 cells that
overlap by 64 on two threads, and write one class raster: no median, no polygons. GeoDeep and
TorchGeo run four tiles in a call. Every run is a process of its own, they take turns; the ratio is
theirs over ours. Before a time counts, the classes are compared with a single pass of the same net
over the whole raster (of a side of 256 + 192 x 9, which fits into memory): 0.9998 must agree,
32 cells and more from the raster's edge. Nearer to it there is no one answer: a single pass sees
the zeros of the net's padding there, our tiles see the nearest cells again; the share over all
cells is printed beside.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import rasterio
from rasterio.transform import from_origin

sys.path.insert(0, str(Path(__file__).parent))
from predict_nets import CLASSES, write_net
from programs import Program

SIDE, OVERLAP, MOST = 256, 64, 9

GEODEEP = """
import sys
import numpy as np
import geodeep
from geodeep.segmentation import save_mask_to_raster
image, model, out = sys.argv[1:4]
mask = geodeep.segment(image, model, output_type="raw", max_threads=2)
save_mask_to_raster(image, np.asarray(mask, np.uint8), out)
"""

TORCHGEO = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np, onnxruntime as ort, rasterio, torch
from pathlib import Path
from torch.utils.data import DataLoader
from torchgeo.datasets import RasterDataset, stack_samples
from torchgeo.samplers import GridGeoSampler
torch.set_num_threads(1)
image, model, out = sys.argv[1:4]
side, step = 256, 192
class Images(RasterDataset):
    filename_glob = Path(image).name
    is_image = True
options = ort.SessionOptions()
options.intra_op_num_threads = 2
session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
with rasterio.open(image) as file:
    profile, transform, shape = file.profile, file.transform, file.shape
dataset = Images(Path(image).parent)
sampler = GridGeoSampler(dataset, size=side, stride=step)
places = iter(list(sampler))
classes = np.zeros(shape, np.uint8)
half = (side - step) // 2
for batch in DataLoader(dataset, sampler=sampler, batch_size=4, collate_fn=stack_samples):
    given = session.run(None, {"raster": batch["image"].numpy().astype(np.float32) / 255})[0]
    for found in given.argmax(1).astype(np.uint8):
        place = next(places)
        try:
            left, top = place.minx, place.maxy
        except AttributeError:
            left, top = place[0].start, place[1].stop
        col, row = (int(round(v)) for v in ~transform * (left, top))
        first = [0 if v == 0 else half for v in (row, col)]
        last = [side if v + side >= n else side - half for v, n in zip((row, col), shape)]
        classes[row + first[0] : row + last[0], col + first[1] : col + last[1]] = found[
            first[0] : last[0], first[1] : last[1]
        ]
profile.update(count=1)
with rasterio.open(out, "w", **profile) as file:
    file.write(classes, 1)
"""


def write_image(path: Path, side: int) -> None:
    """Three bands of smooth noise, uint8, none of them 0, tiled."""
    rng = np.random.default_rng(0)
    coarse = rng.random((3, side // 16 + 2, side // 16 + 2))
    image = np.kron(coarse, np.ones((16, 16)))[:, :side, :side]
    image += rng.normal(0, 0.05, image.shape)
    cells = np.clip(1 + 254 * image, 1, 255).astype(np.uint8)
    with rasterio.open(
        path, "w", driver="GTiff", width=side, height=side, count=3, dtype="uint8",
        crs="EPSG:32719", transform=from_origin(300_000, 6_500_000, 1, 1), compress="deflate",
        tiled=True, blockxsize=256, blockysize=256,
    ) as file:  # fmt: skip
        file.write(cells)


def describe(model: Path) -> None:
    """Adds what GeoDeep and our reader of foreign models ask for."""
    loaded = onnx.load(model)
    names = {str(n): info.name for n, info in enumerate(CLASSES)}
    metadata = {
        "model_type": json.dumps("Segmentor"), "class_names": json.dumps(names),
        "resolution": json.dumps(100), "tile_size": json.dumps(SIDE),
        "tiles_overlap": json.dumps(100 * OVERLAP / SIDE), "seg_thresh": json.dumps(0),
        "seg_small_segment": json.dumps(0),
    }  # fmt: skip
    onnx.helper.set_model_props(loaded, metadata)
    onnx.save(loaded, model)


def programs(options: argparse.Namespace, folder: Path, image: Path, model: Path) -> list[Program]:
    """Ours and the others, each with its output named for it."""
    ours = [
        sys.executable, "-m", "geotools", "predict", str(model), str(image), "-o",
        str(folder / "geotools.tif"), "--overwrite", "--threads", "2", "--progress", "none",
    ]  # fmt: skip
    found = [Program("geotools", [ours])]
    for name, code in (("geodeep", GEODEEP), ("torchgeo", TORCHGEO)):
        python = getattr(options, name)
        if python is not None:
            line = [str(python), "-c", code, str(image), str(model), str(folder / f"{name}.tif")]
            found.append(Program(name, [line], {"PYTHONPATH": ""}))
    return found


def agreement(folder: Path, image: Path, name: str, net: str, offset: int) -> tuple[float, float]:
    """Share of cells with the class of a single pass: away from the raster's edge, and of all."""
    import onnxruntime as ort

    free = folder / "free.onnx"
    if not free.exists():
        write_net(free, net, 3)
    with rasterio.open(image) as file:
        cells = file.read().astype(np.float32) / 255
    session = ort.InferenceSession(free, providers=["CPUExecutionProvider"])
    rows = cells.shape[1] // 8 * 8
    given = session.run(None, {"raster": cells[None, :, :rows, :rows]})[0][0].argmax(0)
    with rasterio.open(folder / f"{name}.tif") as file:
        same = file.read(1)[:rows, :rows] == given + offset
    edge = OVERLAP // 2
    return float(same[edge:-edge, edge:-edge].mean()), float(same.mean())


def main() -> None:
    """Compares, then times."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--geodeep", type=Path)
    parser.add_argument("--torchgeo", type=Path)
    parser.add_argument("--nets", nargs="+", default=["0.07 M", "0.45 M"])
    parser.add_argument("--k", type=int, default=20)
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    for net in options.nets:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            small, large = folder / "small" / "image.tif", folder / "large" / "image.tif"
            model = folder / "model.onnx"
            write_net(model, net, 3, side=SIDE)
            describe(model)
            for path, k in ((small, MOST), (large, options.k)):
                path.parent.mkdir()
                write_image(path, SIDE + (SIDE - OVERLAP) * k)
            print(f"\n{net}, {SIDE + (SIDE - OVERLAP) * options.k}² cells")
            share = {}
            for program in programs(options, folder, small, model):
                program.run()
                offset = 1 if program.name == "geotools" else 0  # our codes begin at 1
                share[program.name] = agreement(folder, small, program.name, net, offset)
            timed = programs(options, folder, large, model)
            for _ in range(options.repeat):
                for program in timed:
                    program.run()
            first = timed[0]
            for program in timed:
                wall, cpu = statistics.median(program.wall), statistics.median(program.cpu)
                same, of_all = share[program.name]
                counts = "" if same >= 0.9998 else "  (does not count)"
                ratio = wall / statistics.median(first.wall), cpu / statistics.median(first.cpu)
                print(f"{program.name:10s} wall {wall:6.1f} s, CPU {cpu:6.1f} s, "
                      f"peak {max(program.memory):5.0f} MB, agreement {same:.5f} "
                      f"(of all cells {of_all:.5f}){counts}, "
                      f"over ours: wall {ratio[0]:.2f}, CPU {ratio[1]:.2f}",
                      flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
