"""geotools.batch.inputs: paths, globs and CSV lists."""

import pytest

from geotools.batch.config import make_job
from geotools.batch.inputs import find_inputs
from geotools.errors import ConfigError, FileError


@pytest.fixture
def folder(tmp_path):
    for name in ("b.tif", "a.tif", "a.tif.aux.xml", "a.qml", "deep/c.tif", "out/d.tif"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("x")
    return tmp_path


def found(inputs, base, operation="terrain"):
    options = {"model": "x"} if operation == "predict" else {}
    job = make_job({"operation": operation, "output": "out", "inputs": inputs, "options": options})
    return find_inputs(job, base, base / "out")


def test_globs_are_in_order_and_find_no_outputs(folder):
    """Sorted; without what lies beside rasters, in the output folder, or was found before."""
    labels = [one.label for one in found(["b.tif", "*", "**/*.tif"], folder)]
    assert labels == ["b.tif", "a.tif", "deep/c.tif"]


def test_paths_need_not_be_there(folder):
    """A path that was written is an input, whatever becomes of it; so is one with brackets."""
    (folder / "x[1].tif").write_text("x")
    assert [one.label for one in found(["gone.tif", "x[1].tif"], folder)] == [
        "gone.tif",
        "x[1].tif",
    ]


def test_lists_in_a_list_are_several_rasters(folder):
    """One input, called after the first."""
    (one,) = found([["a.tif", "deep/c.tif"]], folder, "predict")
    assert one.paths == (folder / "a.tif", folder / "deep" / "c.tif")
    assert one.fields["stem"] == "a"


def test_nothing_found_is_an_error(folder):
    """With the folder that was looked in."""
    with pytest.raises(ConfigError, match=r"No input is found in .*out"):
        found(["out/*.tif"], folder)


def test_lists_give_paths_names_and_options(folder):
    """Paths begin where the list is; an empty cell says nothing, without a path it is a problem."""
    (folder / "deep" / "list.csv").write_text(
        "\ufefffile;name;nodata;site\n c.tif ;Sea;-9999;x\n../a.tif;;;y\n;;;z\n\n"
    )
    section = {"csv": "deep/list.csv", "column": "file", "options": ["nodata"]}
    first, second, third = found([section], folder)
    assert first.paths[0].samefile(folder / "deep" / "c.tif")
    assert first.fields == {
        "file": "c.tif", "name": "Sea", "nodata": "-9999", "site": "x", "stem": "c",
        "operation": "terrain",
    }  # fmt: skip
    assert first.cells == {"nodata": "-9999"}
    assert second.cells == {}
    assert "row 3 has no file" in third.problem


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "is empty"), ("a,a\n1,2\n", "two columns 'a'"), ("a,b\n1,2\n", "no column 'path'"),
     ("path\nx,y\n", "row 1 has 2 cells"), (b"\xff\xfe", "UTF-8")],
)  # fmt: skip
def test_lists_that_cannot_be_read(folder, text, words):
    """One sentence, with the row where there is one."""
    file = folder / "list.csv"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(FileError, match=words):
        found([{"csv": "list.csv"}], folder)
