"""A contract over the four scikit-learn learners, for classes and for values."""

import numpy as np
import onnx
import pytest
from sklearn.svm import SVC

from geotools.training.labels.cells import Cells
from geotools.training.landforms.export import open_session
from geotools.training.learners.classic import make_classic
from geotools.training.learners.settings import (
    BoostingSettings,
    ForestSettings,
    LogisticSettings,
    SvmSettings,
)
from geotools.training.learners.svm import _least

ALL = (
    ForestSettings(trees=20),
    BoostingSettings(trees=25),
    LogisticSettings(),
    SvmSettings(),
)
NAMES = [settings.name for settings in ALL]
TASKS = ("classification", "regression")


class Table:
    """Material of rows alone."""

    def __init__(self, rows, target, classes=(), categories=None, group=None):
        number = np.arange(len(rows), dtype=np.int32)
        none = np.full(len(rows), np.nan)
        group = np.full(len(rows), -1, dtype=np.int32) if group is None else group
        self.cells = Cells(0 * number, number, 0 * number, target, group, none, none, none)
        self.classes = classes
        self.features = tuple(f"feature {k}" for k in range(rows.shape[1]))
        self.categories = categories or {}
        self.dates = 1
        self.grids = ()
        self._rows = rows

    def rows(self, index):
        return self._rows[index]


def make_table(task, cells=400, *, seed=0, classes=("a", "b", "c")):
    """Five features, the second of codes, some of them missing, marked, endless or unknown."""
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(cells, 5)).astype(np.float32)
    rows[:, 1] = rng.choice([3, 7, 20, 21], cells)
    rows[:, 2] = 1e4 + 30 * rows[:, 2]
    score = rows[:, 0] + 0.02 * (rows[:, 2] - 1e4) + 1.5 * (rows[:, 1] == 7)
    score = score + 0.3 * rng.normal(size=cells)
    if task == "classification":
        edges = np.quantile(score, np.linspace(0, 1, len(classes) + 1)[1:-1])
        target = np.digitize(score, edges).astype(np.int16)
    else:
        target, classes = (250.0 + 40.0 * score).astype(np.float32), ()
    rows[rng.random(rows.shape) < 0.05] = np.nan
    rows[:4, 3] = [-np.inf, np.inf, -3.4e38, 1e9]
    rows[5:8, 1] = [99, -4, 3.5]
    return Table(rows, target, classes, {1: (3, 7, 20, 21)})


def run(fitted, rows, temperature=1.0):
    """What ONNX Runtime says of rows."""
    traced = fitted.trace(temperature)
    onnx.checker.check_model(traced.graph, full_check=True)
    return open_session(traced.graph.SerializeToString()).run(None, {"features": rows})[0]


def fit(settings, task, table, train=None, *, seed=1, balanced=False):
    train = np.arange(len(table.cells)) if train is None else train
    return make_classic(settings, task=task, balanced=balanced).fit(table, train, None, seed=seed)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("settings", ALL, ids=NAMES)
def test_a_graph_says_what_the_learner_says(settings, task):
    table = make_table(task)
    fitted = fit(settings, task, table, np.arange(300))
    here = fitted.predict(table, np.arange(400))
    there = run(fitted, table.rows(np.arange(400)))
    assert here.dtype == there.dtype == np.float32
    assert here.shape == there.shape == (400, len(table.classes) or 1)
    assert np.isfinite(here).all()
    spread = 1.0 if table.classes else float(table.cells.target.std())
    np.testing.assert_allclose(there, here, rtol=0, atol=1e-5 * spread)
    if table.classes:
        np.testing.assert_allclose(here.sum(1), 1.0, atol=1e-6)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("settings", ALL, ids=NAMES)
def test_a_learner_learns(settings, task):
    """Far better than the most frequent class or the mean, on cells it has not seen."""
    table = make_table(task, 700)
    said = fit(settings, task, table, np.arange(400)).predict(table, np.arange(400, 700))
    target = table.cells.target[400:]
    if task == "classification":
        assert (said.argmax(1) == target).mean() > 0.7
    else:
        assert np.mean((said[:, 0] - target) ** 2) < 0.35 * np.var(target)


@pytest.mark.parametrize("settings", ALL, ids=NAMES)
def test_the_graph_takes_probabilities_to_the_power_of_one_over_temperature(settings):
    table = make_table("classification")
    fitted = fit(settings, "classification", table)
    p = fitted.predict(table, np.arange(400)).astype(np.float64)
    for temperature in (0.5, 3.0):
        powers = p ** (1 / temperature)
        there = run(fitted, table.rows(np.arange(400)), temperature)
        np.testing.assert_allclose(there, powers / powers.sum(1, keepdims=True), rtol=0, atol=1e-5)


@pytest.mark.parametrize("settings", ALL, ids=NAMES)
def test_a_class_that_was_not_learned_from_keeps_its_column(settings):
    table = make_table("classification", classes=("a", "b", "c", "d"))
    target = table.cells.target
    for seen in ((0, 2, 3), (1, 3), (2,)):
        fitted = fit(settings, "classification", table, np.flatnonzero(np.isin(target, seen)))
        said = fitted.predict(table, np.arange(400))
        assert said.shape == (400, 4)
        missing = np.setdiff1d(np.arange(4), seen)
        assert (said[:, missing] > 0).all()
        assert said[:, missing].max() < 1e-4
        np.testing.assert_allclose(run(fitted, table.rows(np.arange(400))), said, atol=1e-5)


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("settings", ALL, ids=NAMES)
def test_a_seed_fixes_everything(settings, task):
    table = make_table(task)
    one, two = (fit(settings, task, table, seed=2**40 + 3) for _ in range(2))
    assert one.trace().graph.SerializeToString() == two.trace().graph.SerializeToString()
    np.testing.assert_array_equal(
        one.predict(table, np.arange(400)), two.predict(table, np.arange(400))
    )


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("settings", ALL, ids=NAMES)
def test_features_that_say_nothing_break_nothing(settings, task):
    """Constant, all missing, and codes of which none is ever there."""
    table = make_table(task)
    rows = table.rows(np.arange(400)).copy()
    rows[:, 0], rows[:, 1], rows[:, 3] = 1234.567, np.nan, np.nan
    for columns, categories in ([0, 1, 2, 3], {1: (3, 7)}), ([2], {}), ([3], {}), ([1], {0: (3,)}):
        few = Table(rows[:, columns], table.cells.target, table.classes, categories)
        fitted = fit(settings, task, few)
        said = fitted.predict(few, np.arange(400))
        assert np.isfinite(said).all()
        spread = 1.0 if few.classes else float(few.cells.target.std())
        there = run(fitted, few.rows(np.arange(400)))
        np.testing.assert_allclose(there, said, rtol=0, atol=1e-5 * spread)


@pytest.mark.parametrize("settings", ALL, ids=NAMES)
def test_values_that_are_all_alike_are_learned_as_such(settings):
    table = make_table("regression")
    alike = Table(table.rows(np.arange(400)), np.full(400, 812.5, np.float32))
    fitted = fit(settings, "regression", alike)
    assert (fitted.predict(alike, np.arange(400)) == 812.5).all()
    assert (run(fitted, alike.rows(np.arange(400))) == 812.5).all()


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("settings", ALL, ids=NAMES)
def test_a_handful_of_cells_is_enough(settings, task):
    table = make_table(task)
    fitted = fit(settings, task, table, np.arange(100, 104))
    assert np.isfinite(fitted.predict(table, np.arange(400))).all()


@pytest.mark.parametrize("settings", ALL, ids=NAMES)
def test_rare_classes_weigh_as_much_as_the_others_when_balanced(settings):
    """Two classes that overlap, 19 to 1: nearly all is said to be the first, or about half."""
    rng = np.random.default_rng(5)
    target = (np.arange(2000) % 20 == 0).astype(np.int16)
    rows = (rng.normal(size=(2000, 2)) + 0.7 * target[:, None]).astype(np.float32)
    table = Table(rows, target, ("much", "little"))
    plain, even = (
        fit(settings, "classification", table, balanced=balanced).predict(table, np.arange(2000))
        for balanced in (False, True)
    )
    assert plain.argmax(1).mean() < 0.12
    assert even.argmax(1).mean() > plain.argmax(1).mean() + 0.03


@pytest.mark.parametrize("settings", ALL, ids=NAMES)
def test_the_traced_input_and_the_facts_are_plain(settings):
    table = make_table("classification")
    fitted = fit(settings, "classification", table)
    (info,) = fitted.trace().inputs
    assert (info.name, info.kind, info.bands) == ("features", "features", table.features)
    assert fitted.curve == ()
    assert fitted.facts["cells"] == 400
    assert all(type(v) in (int, float, bool, str) for v in fitted.facts.values())


@pytest.mark.parametrize("task", TASKS)
def test_a_forest_of_many_cells_stays_a_file_of_some_megabytes(task):
    """Noise, on which trees grow as far as they can, and more trees than usual."""
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(20_000, 3)).astype(np.float32)
    target = rng.integers(0, 4, 20_000).astype(np.int16)
    classes = ("a", "b", "c", "d")
    if task == "regression":
        target, classes = target.astype(np.float32), ()
    fitted = fit(ForestSettings(trees=500, max_cells=1500), task, Table(rows, target, classes))
    assert 1490 < fitted.facts["cells"] <= 1500
    traced = fitted.trace()
    assert traced.graph.ByteSize() < 20e6
    few = Table(rows[:500], target[:500], classes)
    said = fitted.predict(few, np.arange(500))
    there = open_session(traced.graph.SerializeToString()).run(None, {"features": rows[:500]})[0]
    np.testing.assert_allclose(there, said, rtol=0, atol=1e-5)


def test_machines_decide_as_scikit_learn_does():
    """Every pair of classes, and the single pair of two."""
    table = make_table("classification", classes=("a", "b", "c", "d"))
    for number in (2, 4):
        train = np.flatnonzero(table.cells.target < number)
        fitted = fit(SvmSettings(gamma=0.2), "classification", table, train)
        x = fitted.preparation.rows(table.rows(train))
        estimator = SVC(C=3.0, gamma=0.2, decision_function_shape="ovo")
        estimator.fit(x, table.cells.target[train])
        there = estimator.decision_function(x).reshape(len(x), -1)
        # scikit-learn turns the sign of a single pair.
        there = -there if number == 2 else there
        np.testing.assert_allclose(fitted.model.decide(x), there, atol=1e-8)


@pytest.mark.parametrize("task", TASKS)
def test_what_machines_have_searched_for_is_taken_over(task):
    """Gamma, and the scale of the vote; not from a fit to far fewer cells."""
    table = make_table(task)
    learner = make_classic(SvmSettings(), task=task, balanced=False)
    every = np.arange(len(table.cells))
    alone = learner.fit(table, every, None, seed=1)
    for share, taken in ((0.95, True), (0.6, False)):
        some = every[: round(share * len(every))]
        fitted = learner.fit(table, some, None, seed=1)
        fitted.facts["gamma"] = 0.123
        again = learner.fit(table, every, None, seed=1, like=fitted)
        assert again.facts["gamma"] == (0.123 if taken else alone.facts["gamma"])
        assert again.facts.get("scale") == (fitted if taken else alone).facts.get("scale")


@pytest.mark.parametrize(
    ("worth", "tried"),
    [((3, 2, 1, 0), 3), ((0, 1, 2, 3), 3), ((2, 0, 1, 3), 3), ((3, 1, 0, 2), 3), ((5,), 1)],
)
def test_the_least_of_gammas_is_found_where_losses_fall(worth, tried):
    """From the middle to the side where they do; never all, and the best of those that fall."""
    asked = []

    def judged(gamma):
        asked.append(gamma)
        return worth[gamma], gamma

    assert _least(judged, range(len(worth)))[0] == min(worth)
    assert len(asked) == len(set(asked)) == tried


def test_the_scale_of_the_vote_is_fitted_on_groups_left_out():
    """Labels that go by group and not by features cannot be known: the vote is made unsure."""
    rng = np.random.default_rng(2)
    group = np.repeat(np.arange(40, dtype=np.int32), 15)
    rows = (rng.normal(size=(40, 3))[group] + 0.01 * rng.normal(size=(600, 3))).astype(np.float32)
    target = (group % 2).astype(np.int16)
    alone = fit(SvmSettings(), "classification", Table(rows, target, ("a", "b")))
    grouped = fit(SvmSettings(), "classification", Table(rows, target, ("a", "b"), group=group))
    assert grouped.facts["scale"] < alone.facts["scale"] / 2
