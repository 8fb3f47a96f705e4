"""From a configuration to a model, its score and its map."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import rasterio
from conftest import make_grid, make_terrain, write_tif
from training_scenes import SIZE, make_scene, settings, table_settings, write_toml

import geotools
from geotools.errors import ConfigError, FileError
from geotools.maps import map_predictions, predict_table
from geotools.maps.run_folder import OUTPUTS
from geotools.maps.train import train

pytest.importorskip("torch")
onnx = pytest.importorskip("onnx")

LINK = "https://example.org/dem"
UNET = {"name": "unet", "width": 4, "depth": 2, "tile": 32, "epochs": 1}


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    return make_scene(tmp_path_factory.mktemp("scene"))


@pytest.fixture(scope="module")
def forest(scene, tmp_path_factory):
    """A forest, and its warnings."""
    said = []
    folder = tmp_path_factory.mktemp("runs") / "forest"
    return train(settings(links=[LINK]), folder, data=scene, threads=1, warn=said.append), said


def numbers(evaluation) -> dict:
    """The figures without what took how long, and whose configuration it was."""
    body = json.loads(json.dumps(evaluation))
    body.pop("seconds")
    assert len(body.pop("configuration")) == 64
    for learner in body["learners"]:
        learner.pop("seconds")
    return body


def test_a_run_holds_model_score_report_and_split(forest):
    """Everything that others rely on."""
    made, said = forest
    assert [path.name for path in made.paths] == [name for name in OUTPUTS if name != "weights.pt"]
    assert sorted(path.name for path in made.folder.iterdir()) == sorted(
        path.name for path in made.paths
    )
    body = json.loads((made.folder / "evaluation.json").read_text(encoding="utf-8"))
    assert body == json.loads(json.dumps(made.evaluation))
    assert (body["metric"], body["learner"], body["seed"]) == ("macro_f1", "forest", 0)
    assert body["interval"][0] <= body["score"] <= body["interval"][1]
    assert body["score"] > 0.95
    assert set(body["baselines"]) == {"majority class", "random forest"}
    assert body["split"] == "2 folds of blocks of 240 m"
    assert body["parity"]["max_difference"] < 1e-4
    assert body["cells"] == SIZE**2
    assert body["nested"] is None
    assert body["blocks_split"] is None
    assert "random forest reaches macro-F1" in made.sentence
    item = json.loads((made.folder / "model.stac.json").read_text(encoding="utf-8"))
    assert item["links"] == [{"rel": "derived_from", "href": LINK}]
    assert all("split.size_m larger" in one for one in said), "blocks of a small scene"


def test_the_model_maps_what_it_learned(forest, scene, tmp_path):
    """The map has codes from 1 with the names of the labels, and agrees with them."""
    map_predictions(forest[0].folder / "model.onnx", scene / "dem.tif", tmp_path / "map.tif")
    with rasterio.open(tmp_path / "map.tif") as file:
        mapped = file.read(1)
    with rasterio.open(scene / "labels.tif") as file:
        labels = file.read(1)
    assert set(np.unique(mapped)) == {1, 2}
    agreed = (2 * mapped == labels).mean()
    assert agreed > 0.99
    made = geotools.evaluate_map(
        tmp_path / "map.tif", scene / "labels.tif", tmp_path / "report.html"
    )
    assert made.evaluation["score"] == agreed
    assert [info["name"] for info in made.evaluation["classes"]] == ["2", "4"]


def test_a_file_and_its_values_train_the_same(forest, scene, tmp_path):
    """TOML and keyword arguments, to the byte: the same seed gives the same forest."""
    made, _ = forest
    file = write_toml(tmp_path / "hills.toml", settings())
    again = geotools.train(file, tmp_path / "run", data=scene, threads=1)
    figures, before = numbers(again.evaluation), numbers(made.evaluation)
    assert figures == before
    one, two = (onnx.load(run.folder / "model.onnx") for run in (made, again))
    assert one.graph == two.graph
    third = train(file, tmp_path / "third", data=scene, threads=1)
    two, three = ((run.folder / "model.onnx").read_bytes() for run in (again, third))
    assert two == three


@pytest.mark.parametrize("learner", ["forest", "logistic", UNET], ids=["forest", "ridge", "unet"])
def test_values_are_learned_and_mapped(learner, scene, tmp_path):
    """Regression: scores of values, a map of numbers in the units of the labels."""
    values = settings(learner, labels="values.tif", task="regression")
    made = train(values, tmp_path / "run", data=scene, threads=1)
    body = made.evaluation
    assert (body["task"], body["metric"], body["classes"]) == ("regression", "r2", [])
    assert {"mean", "random forest"} == set(body["baselines"])
    assert body["residuals"]["cells"] == SIZE**2
    map_predictions(made.folder / "model.onnx", scene / "dem.tif", tmp_path / "map.tif")
    with rasterio.open(tmp_path / "map.tif") as file:
        mapped = file.read(1)
    with rasterio.open(scene / "values.tif") as file:
        truth = file.read(1)
    assert mapped.dtype == np.float32
    if learner != UNET:
        assert body["score"] > 0.9
        assert np.abs(mapped - truth).mean() < 0.1
    assert np.isfinite(mapped).all()
    assert truth.min() - 5 < mapped.mean() < truth.max() + 5


@pytest.mark.parametrize(("target", "learner"), [("kind", "forest"), ("depth", "logistic")])
def test_a_table_is_learned_and_filled_in(target, learner, scene, tmp_path):
    """Rows in, rows out, with a column for what the model says."""
    task = "classification" if target == "kind" else "regression"
    values = table_settings(target, learner, task=task)
    made = train(values, tmp_path / "run", data=scene, threads=1)
    assert made.evaluation["split_kind"] == "random"
    assert made.evaluation["blocks_split"] is None
    predict_table(made.folder / "model.onnx", scene / "rows.csv", tmp_path / "out.csv")
    out = pd.read_csv(tmp_path / "out.csv")
    assert len(out) == 300
    if target == "kind":
        assert (out["class"] == out["kind"]).mean() > 0.97
    else:
        assert np.abs(out["value"] - out["depth"]).mean() < 0.2


def test_several_scenes_take_turns(scene, tmp_path):
    """Leave one raster out: each is tested by what was learned from the other."""
    values = settings(
        inputs={"name": "dem", "path": ["dem.tif", "east.tif"]},
        labels={"path": ["labels.tif", "labels_east.tif"]},
        split={"kind": "raster"},
    )
    made = train(values, tmp_path / "run", data=scene, threads=1)
    assert made.evaluation["split_kind"] == "raster"
    assert made.evaluation["cells"] == 2 * SIZE**2
    assert made.evaluation["score"] > 0.98


def test_dates_are_learned_in_their_order(scene, tmp_path):
    """A recurrent net on a stack of dates, and the map from the same stack."""
    dates = {f"200{number}": f"200{number}.tif" for number in (1, 2, 3)}
    values = settings(
        {"name": "gru", "epochs": 2, "width": 8}, inputs={"name": "dem", "dates": dates}
    )
    made = train(values, tmp_path / "run", data=scene, threads=1)
    assert made.evaluation["learner"] == "gru"
    spec = geotools.open_any(made.folder / "model.onnx").spec
    assert (spec.inputs[0].kind, spec.inputs[0].length) == ("sequence", 3)
    assert len(spec.features) == 6
    assert (made.folder / "weights.pt").exists()


def test_what_has_no_date_is_learned_beside_dates(scene, tmp_path):
    """A DEM and a stack of dates; the map is that of all of them."""
    dates = {f"200{number}": f"200{number}.tif" for number in (1, 2, 3)}
    inputs = [{"name": "dem", "path": "dem.tif"}, {"name": "s", "dates": dates}]
    values = settings({"name": "tcn", "epochs": 2, "width": 8}) | {"inputs": inputs}
    made = train(values, tmp_path / "run", data=scene, threads=1)
    spec = geotools.open_any(made.folder / "model.onnx").spec
    assert (spec.inputs[0].kind, spec.features[0]) == ("features", "dem")
    assert len(spec.features) == 7
    rasters = [scene / "dem.tif", *(scene / name for name in dates.values())]
    out = tmp_path / "map.tif"
    map_predictions(made.folder / "model.onnx", rasters, output=out)
    with rasterio.open(out) as file:
        mapped = file.read(1)
    assert mapped.shape == (SIZE, SIZE)
    assert set(np.unique(mapped)) <= {0, 1, 2}


def patches(folder: Path) -> Path:
    """Labels that nothing explains but the place: what neighbours share is all there is."""
    grid = make_grid(SIZE, SIZE)
    planes = [make_terrain(SIZE, SIZE, seed=number) for number in (1, 2, 3)]
    write_tif(folder / "planes.tif", np.stack(planes), grid)
    other = make_terrain(SIZE, SIZE, seed=11)
    labels = np.where(other > np.median(other), 1, 2).astype(np.uint8)
    write_tif(folder / "patches.tif", labels, grid, nodata=0)
    return folder


def test_a_random_split_says_what_it_does_to_the_score(tmp_path):
    """The same learner through blocks, told in a sentence and kept in the record."""
    said = []
    values = settings(
        inputs={"name": "p", "path": "planes.tif"}, labels="patches.tif", split={"kind": "random"},
    )  # fmt: skip
    made = train(values, tmp_path / "run", data=patches(tmp_path), threads=1, warn=said.append)
    body = made.evaluation
    honest = body["blocks_split"]
    assert body["split_kind"] == "random"
    assert honest["learner"] == "random forest"
    assert honest["claimed"] == body["score"] > 0.8
    assert honest["value"] < body["score"] - 0.15
    assert honest["interval"][0] <= honest["value"] <= honest["interval"][1]
    told = [sentence for sentence in said if "by blocks" in sentence]
    assert len(told) == 1
    assert "By random cells the random forest reaches macro-F1 0.8" in told[0]
    for name in ("report.html", "card.md"):
        text = (made.folder / name).read_text(encoding="utf-8")
        assert "by blocks" in text
        assert f"{honest['value']:.3f}" in text


def test_the_choice_among_learners_is_scored_too(scene, tmp_path):
    """`auto` says which were tried, which was taken, and what the choice itself scores."""
    learner = {"name": "auto", "candidates": ["logistic", "forest", "gru"]}
    said = []
    made = train(settings(learner), tmp_path / "run", data=scene, threads=1, warn=said.append)
    body = made.evaluation
    assert {row["name"] for row in body["learners"]} == {"logistic", "forest"}
    assert sum(row["chosen"] for row in body["learners"]) == 1
    assert any("gru is left out" in sentence for sentence in said)
    nested = body["nested"]
    assert nested["interval"][0] <= nested["value"] <= nested["interval"][1]
    words = "Chosen anew in every round by the other rounds, the choice itself scores"
    assert any(words in sentence for sentence in body["result"])
    for name in ("report.html", "card.md"):
        assert words in (made.folder / name).read_text(encoding="utf-8")


def test_a_killed_training_goes_on_to_the_same_bits(scene, tmp_path):
    """SIGKILL in the second round; the second run gives what an undisturbed one gives."""
    values = settings(UNET | {"epochs": 3}, split={"kind": "blocks", "size_m": 480.0, "folds": 2})
    file = write_toml(tmp_path / "unet.toml", values)
    whole = train(file, tmp_path / "whole", data=scene, threads=1)
    folder = tmp_path / "killed"
    command = [
        sys.executable, "-m", "geotools", "train", str(file), "-o", str(folder),
        "--data", str(scene), "--threads", "1", "--progress", "none",
    ]  # fmt: skip
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as running:
        while not (folder / ".unfinished" / "unet-2.pt").exists() and running.poll() is None:
            time.sleep(0.002)
        os.kill(running.pid, signal.SIGKILL)
        running.communicate()
        assert running.returncode == -signal.SIGKILL
    assert [path.name for path in folder.iterdir()] == [".unfinished"]
    said = []
    again = train(file, folder, data=scene, threads=1, warn=said.append)
    assert any("unfinished: it goes on" in sentence for sentence in said)
    assert sorted(path.name for path in folder.iterdir()) == sorted(OUTPUTS)
    one, two = (onnx.load(run.folder / "model.onnx") for run in (whole, again))
    assert len(one.graph.initializer) > 10
    assert one.graph == two.graph
    weights = [(run.folder / "weights.pt").read_bytes() for run in (whole, again)]
    assert weights[0] == weights[1]
    assert again.evaluation["score"] == whole.evaluation["score"]
    assert not any("goes on" in sentence for sentence in again.evaluation["warnings"])


def test_a_corrected_configuration_runs_in_the_same_folder(scene, tmp_path):
    """What failed while it read is in nobody's way."""
    with pytest.raises(FileError, match=r"none\.tif is not at"):
        train(settings(labels="none.tif"), tmp_path / "run", data=scene)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("name", ["model.onnx", "report.html", "evaluation.json"])
def test_a_full_disk_is_told(name, scene, tmp_path, monkeypatch):
    """One sentence, and no half of an output."""
    from geotools.io import atomic

    sync = atomic.sync

    def refuse(path: Path) -> None:
        if path.name.startswith(f".{Path(name).stem}."):
            raise OSError(errno.ENOSPC, "No space left on device")
        sync(path)

    monkeypatch.setattr(atomic, "sync", refuse)
    with pytest.raises(FileError, match="No space left on device"):
        train(settings("logistic"), tmp_path / "run", data=scene, threads=1)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("words", "options"),
    {
        "seed": ("seed is -1: give a whole number", {"seed": -1}),
        "threads": ("threads is 0: give a whole number", {"threads": 0}),
        "learner": ("name is 'tree': allowed are auto", {"learner": "tree"}),
        "init": ("--init starts a net, and the learner is forest", {"init": "landforms-v1"}),
    }.values(),
)
def test_options_are_checked(words, options, scene, tmp_path):
    with pytest.raises(ConfigError, match=words):
        train(settings(), tmp_path / "run", data=scene, **options)
    assert not (tmp_path / "run").exists()


def test_the_data_folder_must_exist(tmp_path):
    with pytest.raises(FileError, match=r"data folder .* does not exist: check --data"):
        train(settings(), tmp_path / "run", data=tmp_path / "none")
