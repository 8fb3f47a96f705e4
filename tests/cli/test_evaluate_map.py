"""geotools evaluate map: the words of the command line."""

import json
import sys

import geopandas
import numpy as np
import pytest
from conftest import make_grid, make_terrain, write_tif
from shapely.geometry import box

from geotools import cli


def run(capsys, *arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of the command line, run in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["geotools", *map(str, arguments)])
        patch.setattr(cli, "_prepare", lambda: None)
        with pytest.raises(SystemExit) as ended:
            cli.main()
    out, err = capsys.readouterr()
    return ended.value.code, out, err


@pytest.fixture
def files(tmp_path):
    grid, terrain = make_grid(40, 40), make_terrain(40, 40)
    mapped = np.where(terrain > np.median(terrain), 2, 1).astype(np.uint8)
    write_tif(tmp_path / "map.tif", mapped, grid, nodata=0)
    write_tif(tmp_path / "values.tif", terrain, grid)
    left, _, _, top = grid.bounds
    shapes = [box(left + 300 * n, top - 900, left + 300 * n + 270, top) for n in range(4)]
    frame = geopandas.GeoDataFrame({"kind": ["a", "b"] * 2}, geometry=shapes, crs=grid.crs)
    frame.to_file(tmp_path / "labels.gpkg")
    with pytest.warns(UserWarning, match="crs"):
        frame.set_crs(None, allow_override=True).to_file(tmp_path / "no_crs.gpkg")
    return tmp_path


def test_a_map_is_compared(files, capsys):
    code, out, err = run(
        capsys, "evaluate", "map", files / "map.tif", files / "labels.gpkg", "-o",
        files / "report.html", "--table", files / "figures.json", "--field", "kind",
        "--classes", "a=1, b=2", "--metric", "kappa",
    )  # fmt: skip
    assert code == 0, err
    assert out.startswith(f"{files / 'report.html'}: The map reaches kappa")
    assert "only if it was not made from these labels" in err
    body = json.loads((files / "figures.json").read_text(encoding="utf-8"))
    assert body["metric"] == "kappa"
    assert [info["name"] for info in body["classes"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("labels", "flags", "code", "words"),
    [
        ("labels.gpkg", ("--classes", "a=1,b=2"), 1, "name it with --field (there is kind)"),
        ("labels.gpkg", ("--field", "sort"), 1, "has no field 'sort', which --field names"),
        ("labels.gpkg", ("--field", "kind"), 1, "--classes forest=1,water=2"),
        ("labels.gpkg", ("--field", "kind", "--classes", "a:1"), 2, "give forest=1,water=2"),
        ("labels.gpkg", ("--field", "kind", "--metric", "r2"), 2, "Invalid value for '--metric'"),
        ("labels.gpkg", ("--field", "kind", "--band", "7", "--classes", "a=1"), 1, "not a band 7"),
        ("labels.gpkg", ("--field", "kind", "--buffer", "nan"), 1, "buffer_m is nan"),
        ("labels.gpkg", ("--class-name", "ice"), 1, "give background"),
        ("no_crs.gpkg", ("--field", "kind"), 1, "name it with --labels-crs"),
        ("no_crs.gpkg", ("--field", "kind", "--labels-crs", "EPSG:0"), 1, "is not a CRS"),
        ("none.gpkg", ("--field", "kind"), 1, "does not exist"),
        ("values.tif", (), 1, "which is no code of a class: quantities are not compared"),
    ],
)
def test_one_sentence(labels, flags, code, words, files, capsys):
    """What, where and the flag to give."""
    found, out, err = run(
        capsys, "evaluate", "map", files / "map.tif", files / labels, "-o",
        files / "report.html", *flags,
    )  # fmt: skip
    assert found == code, err
    assert words in err
    assert "Traceback" not in err
    assert "labels." not in err.replace("labels.gpkg", "")
    assert not out
    assert not (files / "report.html").exists()
