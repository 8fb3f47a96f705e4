"""geotools.maps.predict_rows: rows in, columns out."""

import numpy as np
import pandas as pd
import pytest
from onnx_bytes import neighbourhood_model, row_model

from geotools.errors import GeotoolsError
from geotools.maps import predict_table


@pytest.fixture
def model(tmp_path):
    path = tmp_path / "rows.onnx"
    path.write_bytes(row_model(parameters={"table": True}))
    return path


def make_table(path, rows=100, **more):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"name": [f"plot {n}" for n in range(rows)],
                          "b": rng.normal(0, 1, rows).round(4),
                          "a": rng.normal(0, 1, rows).round(4), **more})  # fmt: skip
    frame.to_csv(path, index=False)
    return frame


def test_classes_beside_what_was_there(model, tmp_path):
    """`class` by name, `confidence` of it, one probability each; the rest of the table stays."""
    frame = make_table(tmp_path / "in.csv")
    made = predict_table(model, tmp_path / "in.csv", tmp_path / "out.csv", probabilities=True)
    found = pd.read_csv(made.path)
    assert list(found) == ["name", "b", "a", "class", "confidence", "p_low", "p_high"]
    pd.testing.assert_frame_equal(found[["name", "b", "a"]], frame)
    high = frame["a"] + 2 * frame["b"] > 0
    assert np.array_equal(found["class"], np.where(high, "high", "low"))
    p = 1 / (1 + np.exp(-2 * np.abs(frame["a"] + 2 * frame["b"])))
    assert np.allclose(found["confidence"], p, atol=1e-5)
    assert np.allclose(found[["p_low", "p_high"]].sum(axis=1), 1, atol=1e-5)
    assert made.counts == {"low": int((~high).sum()), "high": int(high.sum())}
    assert made.rows == 100


def test_a_truth_of_the_same_name_stays(model, tmp_path):
    """A column that the table has already is not replaced."""
    make_table(tmp_path / "in.csv", **{"class": "x"})
    made = predict_table(model, tmp_path / "in.csv", tmp_path / "out.csv")
    found = pd.read_csv(made.path)
    assert set(found["class"]) == {"x"}
    assert set(found["class_predicted"]) == {"low", "high"}


def test_kinds_by_their_words(tmp_path):
    """Texts get the codes of the training; those that it has not seen are missing, and told."""
    path = tmp_path / "kinds.onnx"
    path.write_bytes(row_model(parameters={"table": True, "words": {"a": ["clay", "sand"]}}))
    (tmp_path / "in.csv").write_text("a,b\nclay,0.1\nsand,0.2\npeat,0.3\n,0.4\n")
    (tmp_path / "same.csv").write_text("a,b\n1,0.1\n2,0.2\n,0.3\n,0.4\n")
    plain = tmp_path / "plain.onnx"
    plain.write_bytes(row_model(parameters={"table": True, "codes": {"a": [1, 3]}}))
    said = []
    made = predict_table(path, tmp_path / "in.csv", tmp_path / "out.csv", warn=said.append)
    assert "1 of 4 rows have kinds of 'a' that the model has not learned (peat)" in said[0]
    same = predict_table(plain, tmp_path / "same.csv", tmp_path / "o.csv", warn=said.append)
    assert "1 of 4 rows have kinds of 'a' that the model has not learned (2)" in said[1]
    one, two = (pd.read_csv(run.path)["confidence"] for run in (made, same))
    assert np.array_equal(one, two, equal_nan=True)
    assert predict_table(plain, tmp_path / "same.csv", tmp_path / "q.csv").rows == 4


def test_a_row_of_nothing_gets_nothing(model, tmp_path):
    """No class and no confidence where every feature is missing."""
    (tmp_path / "in.csv").write_text("a,b\n1,2\n,\n-1,-1\n")
    found = pd.read_csv(predict_table(model, tmp_path / "in.csv", tmp_path / "out.csv").path)
    assert found["class"].isna().tolist() == [False, True, False]
    assert found["confidence"].isna().tolist() == [False, True, False]


def test_parquet(model, tmp_path):
    """Parquet in and out."""
    pytest.importorskip("pyarrow")
    frame = make_table(tmp_path / "in.csv")
    frame.to_parquet(tmp_path / "in.parquet")
    made = predict_table(model, tmp_path / "in.parquet", tmp_path / "out.parquet")
    again = predict_table(model, tmp_path / "in.csv", tmp_path / "out.csv")
    found, csv = pd.read_parquet(made.path), pd.read_csv(again.path)
    assert found["class"].tolist() == csv["class"].tolist()


def test_values_are_a_column(tmp_path):
    """A regressor adds `value`."""
    path = tmp_path / "m.onnx"
    path.write_bytes(row_model("sequence", parameters={"table": True}))
    names = ["x.1@2000", "x.2@2000", "x.1@2010", "x.2@2010"]
    pd.DataFrame(np.arange(8.0).reshape(2, 4), columns=names).to_csv(tmp_path / "t.csv")
    found = pd.read_csv(predict_table(path, tmp_path / "t.csv", tmp_path / "o.csv").path)
    assert found["value"].tolist() == [2.0, 14.0]
    with pytest.raises(GeotoolsError, match="leave --probabilities"):
        predict_table(path, tmp_path / "t.csv", tmp_path / "p.csv", probabilities=True)


def test_one_sentence_each(model, tmp_path):
    """A missing column, text for numbers, another model, a wrong output; nothing is written."""
    table = tmp_path / "in.csv"
    for text, words in (
        ("a,c\n1,2\n", "lacks the columns b"),
        ("a,b\n1,two\n", "'two' in row 1"),
        ("a,b\n", "no row"),
        ("", "no header"),
    ):
        table.write_text(text)
        with pytest.raises(GeotoolsError, match=words):
            predict_table(model, table, tmp_path / "out.csv")
    table.write_text("a,b\n1,2\n")
    with pytest.raises(GeotoolsError, match="end it in"):
        predict_table(model, table, tmp_path / "out.tif")
    with pytest.raises(GeotoolsError, match="is the input itself"):
        predict_table(model, table, table, overwrite=True)
    other = tmp_path / "other.onnx"
    other.write_bytes(neighbourhood_model())
    with pytest.raises(GeotoolsError, match="not made from a table"):
        predict_table(other, table, tmp_path / "out.csv")
    assert not list(tmp_path.glob("out*"))
