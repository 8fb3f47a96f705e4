"""U-Nets of three sizes with random weights, as `.onnx` files with a spec: what is timed."""

from __future__ import annotations

import dataclasses
import io
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from torch import nn

from geotools.spec import METADATA_KEY, ClassInfo, InputInfo, ModelSpec, OutputInfo
from geotools.training.export.tiles import fitting_tile

CLASSES = tuple(
    ClassInfo(code, f"class {code}", f"#{40 * code:02x}{255 - 40 * code:02x}80")
    for code in range(1, 7)
)
HALO = 48
"""Cells; a multiple of what four levels halve, and beyond what matters of their reach."""


class Twice(nn.Sequential):
    """Two convolutions, plain or depthwise and pointwise."""

    def __init__(self, before: int, after: int, separable: bool) -> None:
        layers: list[nn.Module] = []
        for channels in (before, after):
            if separable:
                layers += [
                    nn.Conv2d(channels, channels, 3, padding=1, groups=channels),
                    nn.Conv2d(channels, after, 1),
                ]
            else:
                layers += [nn.Conv2d(channels, after, 3, padding=1)]
            layers += [nn.ReLU()]
        super().__init__(*layers)


class UNet(nn.Module):
    """Four levels; gaps become zeros, softmax is inside."""

    def __init__(self, bands: int, width: int, separable: bool, scale: float) -> None:
        super().__init__()
        widths = [width * 2**level for level in range(4)]
        self.down = nn.ModuleList(
            Twice(a, b, separable) for a, b in zip([bands, *widths], widths, strict=False)
        )
        self.up = nn.ModuleList(
            Twice(a + b, b, separable) for a, b in zip(widths[:0:-1], widths[-2::-1], strict=True)
        )
        self.head = nn.Conv2d(width, len(CLASSES), 1)
        self.scale = scale

    def forward(self, raster: torch.Tensor) -> torch.Tensor:
        x = torch.nan_to_num(raster) * self.scale  # (N, bands, H, W)
        passed = []
        for level, block in enumerate(self.down):
            x = block(x if level == 0 else nn.functional.max_pool2d(x, 2))
            passed.append(x)
        for block, skip in zip(self.up, passed[-2::-1], strict=True):
            x = nn.functional.interpolate(x, scale_factor=2.0, mode="nearest")
            x = block(torch.cat([x, skip], 1))
        return torch.softmax(self.head(x), 1)


def calm(net: UNet, finest: float) -> None:
    """Gives what is seen at full resolution this weight, of which most polygons come."""
    first = net.up[-1][0].weight
    skipped = net.head.in_channels  # the last of the channels that it takes
    with torch.no_grad():
        (first if first.shape[1] == 1 else first.transpose(0, 1))[-skipped:] *= finest


def spread(net: UNet, bands: int) -> None:
    """Makes all classes about as common on hills of several sizes, which random weights do not."""
    hills = torch.randn(1, bands, 32, 32)
    hills = nn.functional.interpolate(hills, size=(256, 256), mode="bicubic")
    hills = (2 + hills + 0.1 * torch.randn(hills.shape)) / 4 / net.scale  # about 0 to 1 inside
    given = []
    with torch.no_grad():
        hook = net.head.register_forward_hook(lambda *call: given.append(call[2]))
        net(hills)
        hook.remove()
        logits = given[0][0].flatten(1)  # (classes, cells)
        mean, deviation = logits.mean(1), logits.std(1) + 1e-12
        net.head.weight /= deviation[:, None, None, None]
        net.head.bias.copy_((net.head.bias - mean) / deviation)


SIZES = {"0.07 M": (16, True), "0.45 M": (16, False), "1.8 M": (32, False)}
"""Name: width, separable; the names are those of their parameters."""


def write_net(
    path: Path, name: str, bands: int, *, side: int | None = None, finest: float = 1.0
) -> int:
    """Writes the net; its number of parameters.

    Args:
        path: the file.
        name: of SIZES.
        bands: that it takes; one is elevation in metres.
        side: rows and columns of the only block that it takes; any when None, and then a spec.
        finest: weight of what it sees at full resolution; with less, maps have fewer polygons.
    """
    torch.manual_seed(0)
    width, separable = SIZES[name]
    scales = {1: 1e-3, 3: 1.0, 4: 1e-4}  # metres, shares of 255, counts of a sensor
    net = UNet(bands, width, separable, scales[bands]).eval()
    calm(net, finest)
    spread(net, bands)
    axes = {0: "n"} if side else {0: "n", 2: "h", 3: "w"}
    size = side or 64
    content = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            net, (torch.zeros(1, bands, size, size),), content, dynamo=False, opset_version=17,
            input_names=["raster"], output_names=["probabilities"],
            dynamic_axes={"raster": axes, "probabilities": axes},
        )  # fmt: skip
    model = onnx.load_from_string(content.getvalue())
    if side is None:
        names = ("elevation",) if bands == 1 else tuple(f"band {n + 1}" for n in range(bands))
        spec = ModelSpec(
            name=path.stem, version="0", task="semantic-segmentation", description="Random.",
            inputs=(InputInfo("raster", "raster", names, "m" if bands == 1 else ""),),
            outputs=(OutputInfo("probabilities", "probabilities", CLASSES),),
            cell_size_m=(1.0, 1000.0), tile=1024, halo=HALO, stride_multiple=8,
        )  # fmt: skip
        seen = {"raster": np.zeros((1, bands, 64, 64), np.float32)}
        spec = dataclasses.replace(spec, tile=fitting_tile(model, spec, seen))
        onnx.helper.set_model_props(model, {METADATA_KEY: spec.to_json()})
    path.write_bytes(model.SerializeToString())
    return sum(weights.numel() for weights in net.parameters())
