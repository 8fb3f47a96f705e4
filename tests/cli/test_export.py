"""geotools export: the words of the command line."""

import sys
from pathlib import Path

import pytest

from geotools import cli
from geotools.maps.export import Export

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


@pytest.mark.parametrize(
    ("flags", "code", "words"),
    [
        (("none.onnx",), 1, "none.onnx does not exist"),
        (("text.onnx",), 1, "text.onnx is not an ONNX model"),
        (("seismicity-global-v1",), 1, "Deepness gives one image and nothing else"),
        (("text.onnx", "--for", "arcgis"), 2, "'arcgis' is not 'deepness'"),
        (("text.onnx", "--tile", "5"), 2, "Invalid value for '--tile'"),
        (("text.onnx", "--resolution", "0"), 2, "Invalid value for '--resolution'"),
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
