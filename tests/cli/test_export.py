"""geotools export: the words of the command line."""

import sys
from pathlib import Path

import pytest

from geotools import cli
from geotools.maps.export import Export
from geotools.maps.predict_inputs import RasterOptions

pytest.importorskip("torch")


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command line, run in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["geotools", *map(str, arguments)])
        patch.setattr(cli, "_prepare", lambda: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    out, err = capsys.readouterr()
    return ended.value.code, out, err


def test_flags_are_those_of_the_function(tmp_path, capsys, monkeypatch):
    given = {}

    def export_for(model: str, output: str, **options: object) -> Export:
        given.update(options, model=model, output=output)
        return Export(Path(output), {"max_difference": 0.0}, f"{output}: made")

    monkeypatch.setattr("geotools.maps.export.export_for", export_for)
    code, out, _ = run(
        capsys, "export", "runs/a", "-o", "q.onnx", "--for", "deepness", "--tile", "256",
        "--resolution", "50", "--overwrite",
    )  # fmt: skip
    assert code == 0
    assert out == "q.onnx: made\n"
    assert given == {
        "model": "runs/a", "output": "q.onnx", "target": "deepness", "tile": 256,
        "resolution_cm": 50.0, "overwrite": True,
    }  # fmt: skip


def test_flags_of_quantize_are_those_of_the_function(tmp_path, capsys, monkeypatch):
    """Rasters in their order, the floor as a share; a variant that is refused is exit 1."""
    given = {}

    def quantize_for(model: str, output: str, rasters: tuple[str, ...], **options: object):
        given.update(options, model=model, output=output, rasters=rasters)
        return Export(Path(output), {"agreement": 1.0}, f"{output}: made")

    monkeypatch.setattr("geotools.maps.quantize.quantize_for", quantize_for)
    code, out, _ = run(
        capsys, "export", "runs/a", "-o", "q.onnx", "--quantize", "int8", "--on", "b.tif", "--on",
        "a.tif", "--floor", "95", "--nodata", "-1",
    )  # fmt: skip
    assert (code, out) == (0, "q.onnx: made\n")
    assert callable(given.pop("progress"))
    assert callable(given.pop("warn"))
    assert given == {
        "model": "runs/a", "output": "q.onnx", "rasters": ("b.tif", "a.tif"), "kind": "int8",
        "floor": 0.95, "reading": RasterOptions(nodata=-1.0), "overwrite": False,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (("none.onnx",), 1, "none.onnx does not exist"),
        (("text.onnx",), 1, "text.onnx is not an ONNX model"),
        (("seismicity-global-v1",), 1, "Deepness gives one image and nothing else"),
        (("text.onnx", "--for", "arcgis"), 2, "'arcgis' is not 'deepness'"),
        (("text.onnx", "--tile", "5"), 2, "Invalid value for '--tile'"),
        (("text.onnx", "--resolution", "0"), 2, "Invalid value for '--resolution'"),
        (("text.onnx", "--quantize", "int8"), 2, "give --on RASTER"),
        (("text.onnx", "--quantize", "int4", "--on", "a.tif"), 2, "'int4' is not one of"),
        (("text.onnx", "--on", "a.tif"), 2, "--on goes with --quantize"),
        (("text.onnx", "--floor", "90"), 2, "--floor goes with --quantize"),
        (
            ("text.onnx", "--quantize", "fp16", "--on", "a.tif", "--tile", "64"),
            2,
            "--tile goes without --quantize",
        ),
        (("text.onnx", "--quantize", "fp16", "--on", "a.tif"), 1, "is not an ONNX model"),
        ((), 2, "Missing argument 'MODEL'"),
    ],
)
def test_one_sentence(flags, code, words, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("text.onnx").write_text("hello")
    found, out, err = run(capsys, "export", *flags, "-o", "q.onnx")
    assert found == code
    assert words in err
    assert "Traceback" not in err
    assert not out
    assert not Path("q.onnx").exists()
