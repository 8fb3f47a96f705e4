"""Learning: candidates, what they need, what the features are worth."""

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from conftest import make_terrain, write_tif
from training_scenes import SIZE, make_scene, settings, table_settings

from geotools.errors import ConfigError, LabelsError
from geotools.training.config import make_config

pytest.importorskip("sklearn")

from geotools.training.job import learn
from geotools.training.prepare import prepare


@pytest.fixture(scope="module")
def scene(tmp_path_factory) -> Path:
    folder = make_scene(tmp_path_factory.mktemp("scene"))
    planes = [make_terrain(SIZE, SIZE), make_terrain(SIZE, SIZE, seed=5)]
    write_tif(folder / "two.tif", np.stack(planes))
    return folder


@pytest.fixture
def prepared(scene):
    """What a configuration names, opened until the test ends."""
    with ExitStack() as stack:
        yield lambda values, warn=lambda text: None: prepare(
            make_config(values), data=scene, folder=Path(), stack=stack, warn=warn
        )


def test_what_is_prepared(prepared, scene):
    """Cells, classes, features and split of the files that the configuration names."""
    found = prepared(settings())
    assert [info.name for info in found.classes] == ["2", "4"]
    assert found.material.features == ("dem",)
    assert found.material.elevation == 0
    assert len(found.material.cells) == SIZE**2
    assert found.split.kind == "blocks"
    assert found.blocks is None
    assert {path.name for path in found.files} == {"dem.tif", "labels.tif"}
    assert prepared(settings(split={"kind": "random"})).blocks.kind == "blocks"
    table = prepared(table_settings("kind", "forest"))
    assert table.split.kind == "random"
    assert table.blocks is None
    assert table.material.features == ("a", "b")


def test_features_that_are_the_same_at_all_labels_are_refused(prepared, scene):
    """A score of them would say nothing; a net may still tell cells by what is around them."""
    write_tif(scene / "flat.tif", np.full((2, SIZE, SIZE), 5, np.float32))
    flat, dem = {"name": "flat", "path": "flat.tif"}, {"name": "dem", "path": "dem.tif"}
    with pytest.raises(
        LabelsError, match=r"from flat\.1, flat\.2: each has one value at all labels"
    ):
        prepared(settings(inputs=flat))
    assert prepared(settings("unet", inputs=flat)).material.features == ("flat.1", "flat.2")
    assert "dem" in prepared(settings() | {"inputs": [flat, dem]}).material.features


def test_where_blocks_cannot_be_a_random_split_stands_alone(prepared, scene):
    """A class in one place only cannot be told apart by blocks; that is said."""
    labels = np.full((SIZE, SIZE), 1, np.uint8)
    labels[20:24, 20:24] = 2
    write_tif(scene / "spot.tif", labels, nodata=0)
    said = []
    split = {"kind": "random", "size_m": 1e6}
    found = prepared(settings(labels="spot.tif", split=split), said.append)
    assert found.blocks is None
    assert any("What a split by blocks would score cannot be told: The cl" in one for one in said)


def test_targets_that_overflow_are_refused(prepared, scene):
    values = make_terrain(SIZE, SIZE) * np.float32(1e30)
    write_tif(scene / "huge.tif", values)
    with pytest.raises(LabelsError, match=r"too large to learn: .* labels\.nodata"):
        prepared(settings(labels="huge.tif", task="regression"))


def test_a_feature_that_tells_is_worth_something(prepared):
    """The plane that labels are made of loses the score when it is shuffled, the other does not."""
    outcome = learn(prepared(settings(inputs={"name": "p", "path": "two.tif"})))
    worth = dict(outcome.importance)
    assert list(worth) == ["p.1", "p.2"]
    assert worth["p.1"].value > 0.3
    assert abs(worth["p.2"].value) < 0.1
    assert worth["p.1"].interval[0] > 0
    assert [trial.title for trial in outcome.baselines] == ["majority class", "random forest"]
    assert outcome.blocks is None


def test_an_error_that_falls_is_worth_something_too(prepared):
    """Worth is positive where the error grows."""
    values = settings("logistic", inputs={"name": "p", "path": "two.tif"}, labels="values.tif",
                      task="regression", metric="rmse")  # fmt: skip
    worth = dict(learn(prepared(values)).importance)
    assert worth["p.1"].value > 0.5 > abs(worth["p.2"].value)
    assert learn(prepared(values)).temperature == 1.0


def test_probabilities_stay_probabilities_at_their_temperature(prepared):
    found = prepared(settings())
    outcome = learn(found)
    tested = outcome.predictions[found.split.fold >= 0]
    np.testing.assert_allclose(tested.sum(1), 1, atol=1e-5)
    assert outcome.temperature > 0


def test_strengths_of_the_support_vector_machine_are_tried_one_by_one(prepared):
    learner = {"name": "auto", "candidates": ["svm", "logistic"], "strengths": [1.0, 10.0]}
    steps = []
    outcome = learn(prepared(settings(learner)), progress=steps.append)
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert stages[:3] == [
        "learner 1 of 3, svm", "learner 2 of 3, svm", "learner 3 of 3, logistic",
    ]  # fmt: skip
    assert [trial.title for trial in outcome.trials] == [
        "support vector machine, strength 1", "support vector machine, strength 10",
        "logistic regression",
    ]  # fmt: skip
    assert outcome.settings.name == outcome.trials[outcome.choice.final].name


@pytest.mark.parametrize(
    "features", [["s@2001"], ["s@2001", "s@2002", "other@2001"], ["s@2001", "other@2002"]]
)
def test_dates_that_are_not_alike_are_told(features, prepared):
    """One date is none to go along, and what only some dates have cannot be followed."""
    inputs = [
        {"name": name, "dates": {"2001": "2001.tif", "2002": "2002.tif"}} for name in ("s", "other")
    ]
    with pytest.raises(ConfigError, match="the features are not the same at each of two or more"):
        learn(prepared(settings("gru") | {"inputs": inputs, "features": features}))


@pytest.mark.parametrize(
    ("values", "words"),
    [
        (table_settings("kind", "cnn"), "looks at the surroundings of a cell"),
        (table_settings("kind", "tcn"), "goes along dates"),
        (settings("gru"), "goes along dates"),
    ],
)
def test_learners_that_need_what_there_is_not(values, words, prepared):
    """Named alone they are an error, among others they are left out with a warning."""
    with pytest.raises(ConfigError, match=words):
        learn(prepared(values))
    name = values["learner"]["name"]
    several = {"name": "auto", "candidates": [name, "logistic"]}
    said = []
    outcome = learn(prepared(values | {"learner": several}), warn=said.append)
    assert outcome.settings.name == "logistic"
    assert len(said) == 1
    assert f"The learner {name} is left out" in said[0]
    with pytest.raises(ConfigError, match="None of the learners could be fitted"):
        learn(prepared(values | {"learner": several | {"candidates": [name]}}))
