"""geotools.batch.plan: options and names of every input, before anything is run."""

import pytest
from onnx_bytes import neighbourhood_model

from geotools.batch.config import make_job
from geotools.batch.inputs import find_inputs
from geotools.batch.plan import plan
from geotools.errors import ConfigError, FileError, ModelError


def planned(base, **job):
    made = make_job({"operation": "terrain", "output": "out", **job})
    return plan(made, find_inputs(made, base, base / "out"), base, base / "out")


def test_overrides_and_cells_change_options(tmp_path):
    """By glob of the file's name or the input's; the last that matches, and cells after them."""
    (tmp_path / "list.csv").write_text(
        "path,name,edges,radius,slope_unit\na.tif,Alp,yes,,percent\nb.tif,Sea,,7,\n"
    )
    a, b = planned(
        tmp_path,
        inputs=[{"csv": "list.csv", "options": ["edges", "radius", "slope_unit"]}],
        overrides=[
            {"match": ["b.*", "Alp"], "radius": 3, "nodata": -1},
            {"match": "Al*", "radius": 5},
        ],
        name="{name}",
    )
    assert (a.target.name, b.target.name) == ("Alp.tif", "Sea.tif")
    assert (a.options.radius, a.options.nodata, a.options.edges) == (5, -1.0, True)
    assert (a.options.slope_unit, b.options.slope_unit) == ("percent", "degrees")
    assert (b.options.radius, b.options.nodata, b.options.edges) == (7, -1.0, False)
    assert a.digest != b.digest


def test_a_cell_that_cannot_be_is_its_rows_problem(tmp_path):
    """The others are run."""
    (tmp_path / "list.csv").write_text("path,radius\na.tif,wide\nb.tif,3\n")
    a, b = planned(tmp_path, inputs=[{"csv": "list.csv", "options": ["radius"]}])
    assert "a.tif: options: radius is 'wide': give a whole number" in a.problem
    assert b.problem == ""


@pytest.mark.parametrize("names", [["a.tif", "deep/a.tif"], ["a.tif", "A.tif"], ["é.tif", "e.tif"]])
def test_two_inputs_never_give_one_name(tmp_path, names):
    """Nor names that differ in case alone; the message names both."""
    with pytest.raises(ConfigError, match=rf"{names[0]} and {names[1]} would both become"):
        planned(tmp_path, inputs=names)
    planned(tmp_path, inputs=names, name="{index}_{stem}")


def test_files_beside_an_output_are_names_too(tmp_path):
    """The probabilities of one input are not the map of another, nor the report's."""
    (tmp_path / "m.onnx").write_bytes(neighbourhood_model())
    job = {"operation": "predict", "options": {"model": "m.onnx", "probabilities": True}}
    with pytest.raises(ConfigError, match=r"would both become a_probabilities\.tif"):
        planned(tmp_path, inputs=["a.tif", "a_probabilities.tif"], name="{stem}", **job)
    with pytest.raises(ConfigError, match=r"mosaic\.tif, which is the report's or the mosaic's"):
        planned(tmp_path, inputs=["mosaic.tif"], name="{stem}")


def test_inputs_do_not_lie_among_outputs(tmp_path):
    """An output could have the name of an input."""
    with pytest.raises(FileError, match="lies in the folder of the outputs"):
        planned(tmp_path, inputs=["out/a.tif"])


def test_digests_follow_what_shapes_the_result(tmp_path):
    """Options and the model's bytes, not its name; nothing else."""

    def digest(**options):
        job = {"operation": "predict", "options": {"model": "m.onnx", **options}}
        return planned(tmp_path, inputs=["a.tif"], **job)[0].digest

    (tmp_path / "m.onnx").write_bytes(neighbourhood_model())
    (tmp_path / "same.onnx").write_bytes(neighbourhood_model())
    first = digest()
    assert digest(confidence=True) != first
    assert digest(model="same.onnx") == first
    (tmp_path / "m.onnx").write_bytes(neighbourhood_model(radius=1))
    assert digest() != first


@pytest.mark.parametrize(
    ("job", "error", "words"),
    [
        ({"operation": "predict", "options": {"model": "no.onnx"}}, FileError, "does not exist"),
        ({"operation": "predict", "options": {"model": "mars"}}, (FileError, ModelError), "mars"),
        ({"options": {"attributes": ["slop"]}}, ConfigError, "attributes has 'slop': allowed are"),
        ({"operation": "landforms", "options": {"search": 3}}, ConfigError, "search belongs to"),
        ({"operation": "landforms", "options": {"simplify": 3}}, ConfigError, "polygons = true"),
        ({"operation": "forecast", "options": {"start": "soon"}}, ConfigError, "start is 'soon'"),
    ],
)
def test_what_is_wrong_with_all_stops_all(tmp_path, job, error, words):
    """Before anything is run."""
    with pytest.raises(error, match=words):
        planned(tmp_path, inputs=["a.tif"], **job)


def test_several_rasters_are_for_predictions(tmp_path):
    """Other operations take one file of an input."""
    (task,) = planned(tmp_path, inputs=[["a.tif", "b.tif"]])
    assert "terrain takes one file of an input, 2 are given" in task.problem
