"""Label rasters: any codes on any grid, named by whoever names them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import make_grid, write_tif

from geotools.errors import LabelsError
from geotools.grid import Grid
from geotools.training.config import make_config
from geotools.training.labels.reading import Labels, read_labels

GRID = make_grid(60, 40)


def read(file: Path, *grids: Grid, **more: Any) -> tuple[Labels, list[str]]:
    labels = {key: more.pop(key) for key in list(more) if key not in ("task", "inputs", "features")}
    more.setdefault("inputs", [{"name": "dem", "path": "none.tif"}])
    made = make_config({"name": "test", "labels": {"path": str(file), **labels}, **more})
    warned: list[str] = []
    return read_labels(made, grids or (GRID,), find=Path, warn=warned.append), warned


def codes(*values: float, dtype: Any = np.uint8, rows: int = 40, cols: int = 60) -> np.ndarray:
    """Upright stripes of one width each."""
    return np.array(values, dtype)[np.arange(cols) * len(values) // cols][None].repeat(rows, 0)


@pytest.mark.parametrize(
    ("values", "dtype", "nodata", "names"),
    [
        ((0, 2, 4), np.uint8, None, ["0", "2", "4"]),
        ((1, 255, 9), np.uint8, 255, ["1", "9"]),
        ((-1, 7, 3000), np.int16, None, ["-1", "7", "3000"]),
        ((1.0, 2.0, np.nan), np.float32, None, ["1", "2"]),
        ((10.0, 2.0, -9999.0), np.float64, -9999.0, ["2", "10"]),
        ((5, 2**31, 2**32 - 1), np.uint32, None, ["5", "2147483648", "4294967295"]),
    ],
)
def test_any_codes_are_classes_in_their_order(
    tmp_path: Path, values: tuple[float, ...], dtype: Any, nodata: float | None, names: list[str]
) -> None:
    more = {} if nodata is None else {"nodata": nodata}
    file = write_tif(tmp_path / "a.tif", codes(*values, dtype=dtype), GRID, **more)
    labels, _ = read(file)
    assert [info.name for info in labels.classes] == names
    assert labels.counts == (800,) * len(names)
    assert (labels.cells.group == -1).all()
    assert not labels.apart


def test_a_further_code_can_stand_for_unlabelled(tmp_path: Path) -> None:
    file = write_tif(tmp_path / "a.tif", codes(0, 1, 2, 255), GRID, nodata=255)
    labels, _ = read(file, nodata=0)
    assert [info.name for info in labels.classes] == ["1", "2"]


def test_classes_of_the_configuration_choose_and_merge_codes(tmp_path: Path) -> None:
    file = write_tif(tmp_path / "a.tif", codes(1, 2, 3, 4), GRID)
    labels, _ = read(file, classes={"wet": (4, 1), "dry": 2})
    assert [info.name for info in labels.classes] == ["wet", "dry"]
    assert labels.counts == (1200, 600)
    with pytest.raises(LabelsError, match=r"no cell has a code of labels\.classes: it has 1, 2, 3"):
        read(file, classes={"wet": 7, "dry": 8})
    with pytest.raises(LabelsError, match="class 'dry' has 0 labelled cells"):
        read(file, classes={"wet": 1, "dry": 8})


def test_names_and_colours_come_from_the_aux_xml(tmp_path: Path) -> None:
    file = write_tif(tmp_path / "a.tif", codes(1, 2, 5), GRID)
    beside = tmp_path / "a.tif.aux.xml"
    beside.write_text(
        "<PAMDataset><PAMRasterBand band='1'><CategoryNames><Category>none</Category>"
        "<Category>Water</Category><Category>Wood</Category></CategoryNames>"
        "<GDALRasterAttributeTable><FieldDefn index='0'><Name>Value</Name><Type>0</Type>"
        "<Usage>5</Usage></FieldDefn><FieldDefn index='1'><Name>Klasse</Name><Type>2</Type>"
        "<Usage>2</Usage></FieldDefn><FieldDefn index='2'><Name>R</Name><Usage>6</Usage>"
        "</FieldDefn><FieldDefn index='3'><Name>G</Name><Usage>7</Usage></FieldDefn>"
        "<FieldDefn index='4'><Name>B</Name><Usage>8</Usage></FieldDefn>"
        "<Row index='0'><F>5</F><F>Rock</F><F>16</F><F>32</F><F>255</F></Row>"
        "</GDALRasterAttributeTable></PAMRasterBand></PAMDataset>"
    )
    labels, _ = read(file)
    assert [info.name for info in labels.classes] == ["Rock", "Water", "Wood"]
    assert labels.classes[0].color == "#1020ff"


@pytest.mark.parametrize(
    "text", ["<!DOCTYPE a [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><PAMDataset>&x;</PAMDataset>",
             "<PAMDataset>"],
)  # fmt: skip
def test_an_aux_xml_that_cannot_be_trusted_is_refused(tmp_path: Path, text: str) -> None:
    from geotools.errors import FileError
    from geotools.io.categories import read_categories

    file = write_tif(tmp_path / "a.tif", codes(1, 2), GRID)
    (tmp_path / "a.tif.aux.xml").write_text(text)
    with pytest.raises(FileError):
        read_categories(file)


def test_one_class_is_all_that_the_raster_holds(tmp_path: Path) -> None:
    depth = np.zeros((40, 60), np.float32)
    depth[10:20, 10:20] = np.linspace(100, 200, 100).reshape(10, 10)
    file = write_tif(tmp_path / "a.tif", depth, GRID, nodata=0.0)
    labels, _ = read(file, class_name="sink", background="rest")
    assert labels.counts == (100, 2300)


def test_of_a_mask_0_is_not_the_class(tmp_path: Path) -> None:
    """It is the background where one is named, and no rest is left to guess."""
    file = write_tif(tmp_path / "a.tif", codes(0, 0, 1), GRID)
    for more in ({"class_name": "ice"}, {"classes": {"ice": 1}}):
        labels, warned = read(file, background="rest", **more)
        assert [info.name for info in labels.classes] == ["ice", "rest"]
        assert labels.counts == (800, 1600)
        assert warned == []
    three = write_tif(tmp_path / "b.tif", codes(0, 1, 7), GRID)
    wanted = r"b\.tif holds 0 and 1, 7, and which .* labels\.classes = \{ ice = 1 \}"
    with pytest.raises(LabelsError, match=wanted):
        read(three, class_name="ice", background="rest")
    assert read(three, class_name="ice", background="rest", nodata=0)[0].counts == (1600, 800)


def test_codes_and_classes_that_do_not_meet_are_told(tmp_path: Path) -> None:
    file = write_tif(tmp_path / "a.tif", codes(1, 2, 3, 4), GRID)
    labels, warned = read(file, classes={"wet": (1, 9), "dry": 2})
    assert labels.total == 1200
    assert warned == [
        "a.tif: labels.classes lists 9, which no cell has: check it.",
        "a.tif: 3, 4 are in no class of labels.classes; the cells that have them label nothing.",
    ]
    labels, warned = read(file, classes={"wet": 1, "dry": 2}, background="rest")
    assert labels.counts == (600, 600, 1200)
    assert warned[0].endswith("the cells that have them become 'rest'.")


@pytest.mark.parametrize(
    ("values", "dtype", "more", "words"),
    [
        ((1, 2, -9999), np.int16, {}, "33.3% of the cells hold -9999, which"),
        ((1, 2, -32768), np.int16, {}, "set labels.nodata = -32768."),
        ((1, 2, 255), np.uint8, {}, "set labels.nodata = 255."),
        ((1, 2, 255), np.uint8, {"classes": {"a": 1, "b": 2}, "background": "c"}, "= 255."),
        ((1, 50, 255), np.uint8, {"task": "regression"}, "set labels.nodata = 255."),
        ((1.5, 2, -9999), np.float32, {"task": "regression"}, "set labels.nodata = -9999."),
        ((1, 2, 3.4028235e38), np.float32, {}, "set labels.nodata = 3.4028234663852886e+38."),
    ],
)
def test_undeclared_fill_values_are_told_with_their_share(
    tmp_path: Path, values: tuple[float, ...], dtype: Any, more: dict[str, Any], words: str
) -> None:
    labels, warned = read(write_tif(tmp_path / "a.tif", codes(*values, dtype=dtype), GRID), **more)
    assert words in warned[0]
    assert "33.3%" in warned[0]
    assert labels.total == 2400
    labels, warned = read(tmp_path / "a.tif", nodata=float(np.array(values[2], dtype)), **more)
    assert warned == []


@pytest.mark.parametrize(
    ("values", "more"),
    [
        ((0, 255), {}),
        ((0, 255), {"class_name": "a", "background": "b"}),
        ((1, 2, 255), {"classes": {"a": 1, "b": 255, "c": 2}}),
        ((0, 120, 252, 255), {"task": "regression"}),
    ],
)
def test_255_may_be_a_code_or_a_quantity(
    tmp_path: Path, values: tuple[float, ...], more: dict[str, Any]
) -> None:
    assert read(write_tif(tmp_path / "a.tif", codes(*values), GRID), **more)[1] == []


def test_a_fill_value_that_is_named_is_not_mixed_with_quantities(tmp_path: Path) -> None:
    file = write_tif(tmp_path / "a.tif", codes(5, 6, -9999, dtype=np.float32), GRID)
    away = make_grid(60, 40, left=GRID.bounds[0] + 11)
    labels, _ = read(file, away, task="regression", nodata=-9999)
    assert 5 <= labels.cells.target.min() <= labels.cells.target.max() <= 6


def test_finer_labels_are_brought_to_the_cells_by_majority(tmp_path: Path) -> None:
    fine = make_grid(240, 160, cell=7.5)
    data = np.ones((160, 240), np.uint8)
    data[:, 121:] = 3  # a fourth of column 30 is 1
    data[0::4, 0::4] = 7  # one cell of sixteen everywhere
    labels, _ = read(write_tif(tmp_path / "a.tif", data, fine))
    drawn = np.full(GRID.shape, -1)
    drawn[labels.cells.row, labels.cells.col] = labels.cells.target
    assert [info.name for info in labels.classes] == ["1", "3"]
    assert (drawn[:, :30] == 0).all()
    assert (drawn[:, 30:] == 1).all()


def test_labels_in_another_crs_are_brought_to_the_cells_by_nearest(tmp_path: Path) -> None:
    left, bottom, right, top = GRID.bounds
    from pyproj import Transformer

    there = Transformer.from_crs("EPSG:32633", "EPSG:4326", always_xy=True)
    west, south, east, north = there.transform_bounds(left, bottom, right, top)
    wide = make_grid(50, 50, crs="EPSG:4326", cell=1)
    grid = type(wide)(
        wide.crs,
        type(wide.transform)((east - west) / 60, 0, west, 0, -(north - south) / 40, north), 60, 40,
    )  # fmt: skip
    labels, _ = read(write_tif(tmp_path / "a.tif", codes(2, 9), grid))
    drawn = np.full(GRID.shape, -1)
    drawn[labels.cells.row, labels.cells.col] = labels.cells.target
    lon, _ = there.transform(labels.cells.x, labels.cells.y)
    middle = (west + east) / 2
    clear = np.abs(lon - middle) > (east - west) / 100
    assert np.array_equal(labels.cells.target[clear], (lon > middle)[clear])
    assert len(labels.cells) > 0.95 * drawn.size


def test_values_are_learned_from_a_raster(tmp_path: Path) -> None:
    data = np.arange(2400, dtype=np.float32).reshape(40, 60)
    data[0, 0] = -1
    file = write_tif(tmp_path / "a.tif", data, GRID, nodata=-1.0)
    labels, _ = read(file, task="regression")
    assert len(labels.cells) == 2399
    assert np.array_equal(labels.cells.target, data[labels.cells.row, labels.cells.col])


def test_quantities_are_no_codes(tmp_path: Path) -> None:
    file = write_tif(
        tmp_path / "a.tif", np.linspace(0, 1, 2400, dtype=np.float32).reshape(40, 60), GRID
    )
    with pytest.raises(LabelsError, match=r'no code of a class.* task = "regression"'):
        read(file)
    many = np.arange(2400, dtype=np.int32).reshape(40, 60)
    with pytest.raises(LabelsError, match=r'more than 254 .* task = "regression"'):
        read(write_tif(tmp_path / "b.tif", many, GRID))


def test_one_of_several_bands_must_be_named(tmp_path: Path) -> None:
    data = np.stack([codes(1, 2), codes(3, 4)])
    file = write_tif(tmp_path / "a.tif", data, GRID)
    with pytest.raises(LabelsError, match=r"has 2 bands: say which .* labels\.band"):
        read(file)
    assert [info.name for info in read(file, band=2)[0].classes] == ["3", "4"]


def test_a_band_of_an_input_may_be_the_label_but_not_learned_from(tmp_path: Path) -> None:
    data = np.stack([codes(1, 2), codes(3, 4), codes(5, 6)])
    file = write_tif(tmp_path / "a.tif", data, GRID)
    other = {"name": "image", "path": str(file)}
    assert read(file, band=2, inputs=[{**other, "bands": [1, 3]}])[0].counts == (1200, 1200)
    assert read(file, band=2, inputs=[other], features=["image.1", "image.3"])[0].total == 2400
    for made in (
        {"inputs": [other]},
        {"inputs": [{**other, "bands": {"red": 1, "truth": 2}}]},
        {"inputs": [other], "features": ["image"]},
        {"inputs": [other], "features": ["image.2"]},
        {"inputs": [{**other, "bands": [2], "role": "elevation"}], "features": ["terrain.slope"]},
    ):
        with pytest.raises(LabelsError, match=r"Band 2 of a\.tif is the label and is learned from"):
            read(file, band=2, **made)


def test_a_raster_elsewhere_is_refused_with_both_places(tmp_path: Path) -> None:
    away = make_grid(60, 40, left=900_000)
    file = write_tif(tmp_path / "a.tif", codes(1, 2), away)
    with pytest.raises(LabelsError, match=r"it covers \(900000, .* they cover \(500000, "):
        read(file)


def test_names_of_the_colour_table_of_real_land_cover(shared: Path) -> None:
    from geotools.io.geotiff import open_raster

    folder = shared / "landcover_zion"
    with open_raster(folder / "srtm.tif") as dem:
        labels, _ = read(folder / "nlcd.tif", dem.grid)
    assert [info.name for info in labels.classes] == [
        "Barren", "Cultivated", "Developed", "Forest", "Herbaceous", "Shrubland", "Water",
        "Wetlands",
    ]  # fmt: skip
    assert labels.total > 0.98 * 457 * 465 * 0.98


def test_what_is_for_features_is_refused_for_a_raster(tmp_path: Path) -> None:
    """It would be left out without a word."""
    file = write_tif(tmp_path / "a.tif", codes(1, 2), GRID)
    for key, value in (("buffer_m", 30), ("all_touched", True)):
        with pytest.raises(
            LabelsError, match=rf"a\.tif is a raster, and labels\.{key} is for feat"
        ):
            read(file, **{key: value})
