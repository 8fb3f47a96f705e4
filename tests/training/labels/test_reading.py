"""read_labels: what is labelled, as what, and what nothing can be learned from."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from conftest import make_grid, make_lonlat_grid, write_tif
from pyproj import Transformer

from geotools.errors import ConfigError, GeotoolsError, LabelsError
from geotools.grid import Grid
from geotools.training.config import TrainConfig, make_config
from geotools.training.labels.polygons import PolygonScene
from geotools.training.labels.reading import Labels, read_labels

GRID = make_grid(60, 40)
"""30 m cells; (500000, 5000000) is its upper left corner."""


def box(col: float, row: float, width: float, height: float, grid: Grid = GRID) -> Any:
    """A rectangle of cells in the CRS of the grid."""
    (left, top), (right, bottom) = (
        grid.transform @ (col, row), grid.transform @ (col + width, row + height)
    )  # fmt: skip
    return shapely.box(left, bottom, right, top)


def config(path: Path | str, **labels: Any) -> TrainConfig:
    task = labels.pop("task", "classification")
    return make_config(
        {
            "name": "test",
            "task": task,
            "inputs": [{"name": "dem", "path": "dem.tif"}],
            "labels": {"path": str(path), **labels},
        }
    )


def read(made: TrainConfig, *grids: Grid, **more: Any) -> tuple[Labels, list[str]]:
    warned: list[str] = []
    found = read_labels(made, grids or (GRID,), find=Path, warn=warned.append, **more)
    return found, warned


def picture(labels: Labels, grid: Grid = GRID, scene: int = 0) -> np.ndarray:
    """(rows, cols) the class of each cell, -1 where there is none."""
    cells = labels.cells.take(labels.cells.scene == scene)
    drawn = np.full(grid.shape, -1)
    drawn[cells.row, cells.col] = cells.target
    assert len(cells) == (drawn >= 0).sum()
    return drawn


@pytest.fixture
def polygons(tmp_path: Path) -> Callable[..., Path]:
    """Writes polygons with a field `class` and others."""

    def write(geometry: list[Any], crs: Any = "EPSG:32633", **fields: list[Any]) -> Path:
        file = tmp_path / "labels.gpkg"
        frame = geopandas.GeoDataFrame(fields, geometry=geometry, crs="EPSG:32633").to_crs(crs)
        pyogrio.write_dataframe(frame, file)
        return file

    return write


def test_polygons_label_the_cells_whose_centre_they_hold(polygons: Callable[..., Path]) -> None:
    file = polygons([box(2, 3, 10, 5), box(20, 10, 8, 8)], **{"class": ["wood", "lake"]})
    labels, warned = read(config(file, field="class"))
    drawn = picture(labels)
    assert [info.name for info in labels.classes] == ["lake", "wood"]
    assert [info.code for info in labels.classes] == [1, 2]
    assert (drawn[3:8, 2:12] == 1).all()
    assert (drawn[10:18, 20:28] == 0).all()
    assert labels.counts == (64, 50)
    assert len(labels.cells) == 114
    assert warned == []
    place = (labels.cells.row == 3) & (labels.cells.col == 2)
    x, y = GRID.transform @ (2.5, 3.5)
    assert (labels.cells.x[place], labels.cells.y[place]) == (x, y)
    assert labels.cells.group[place] == 0
    assert set(labels.cells.group) == {0, 1}


def test_what_is_unlabelled_is_background_only_when_it_is_named(
    polygons: Callable[..., Path],
) -> None:
    file = polygons([box(2, 3, 10, 5)], **{"class": ["wood"]})
    labels, _ = read(config(file, class_name="wood", background="rest"))
    assert [info.name for info in labels.classes] == ["wood", "rest"]
    assert labels.background == 1
    assert labels.counts == (50, 60 * 40 - 50)
    assert (labels.cells.group[labels.cells.target == 1] == -1).all()
    with pytest.raises(LabelsError, match=r"one class only, 'wood': .* labels\.background"):
        read(config(file, field="class"))


def test_a_study_area_limits_labels_and_background(
    polygons: Callable[..., Path], tmp_path: Path
) -> None:
    file = polygons([box(2, 3, 10, 5)], **{"class": ["wood"]})
    mask = tmp_path / "mask.geojson"
    frame = geopandas.GeoDataFrame(geometry=[box(0, 0, 7, 20)], crs="EPSG:32633")
    pyogrio.write_dataframe(frame.to_crs("EPSG:4326"), mask)
    labels, _ = read(config(file, class_name="wood", background="rest", mask=str(mask)))
    assert labels.counts == (25, 7 * 20 - 25)


def test_polygons_in_another_crs_label_the_same_cells(polygons: Callable[..., Path]) -> None:
    shapes = [box(2.2, 3.2, 10, 5), box(20.2, 10.2, 30, 60)]
    same = picture(read(config(polygons(shapes, c=["a", "b"]), field="c"))[0])
    there = picture(read(config(polygons(shapes, "EPSG:4326", c=["a", "b"]), field="c"))[0])
    assert np.array_equal(same, there)
    assert (same[11:, 20:50] == 1).all()


def test_longitudes_may_be_counted_from_0_or_from_180(polygons: Callable[..., Path]) -> None:
    shapes = [box(2, 3, 10, 5), box(20, 10, 8, 8)]
    file = polygons(shapes, c=["a", "b"])
    expected = picture(read(config(file, field="c"))[0])
    frame = pyogrio.read_dataframe(file).to_crs("EPSG:4326")
    turned = frame.set_geometry(frame.translate(xoff=-360), crs=frame.crs)
    pyogrio.write_dataframe(turned, file)
    assert np.array_equal(picture(read(config(file, field="c"))[0]), expected)


def test_a_long_edge_stays_where_it_is_in_its_own_crs(polygons: Callable[..., Path]) -> None:
    """A parallel is no straight line in a projected CRS."""
    grid = make_grid(400, 400, cell=1000, left=300_000, top=7_200_000)
    file = polygons([shapely.box(3e5, 6.8e6, 7e5, 7.2e6)], c=["a"])
    corners = geopandas.GeoSeries([shapely.box(10, 62, 20, 63)], crs="EPSG:4326")
    frame = geopandas.GeoDataFrame({"c": ["a"]}, geometry=corners)
    pyogrio.write_dataframe(frame, file)
    labels, _ = read(config(file, field="c", background="rest"), grid)
    inside = labels.cells.take(labels.cells.target == 0)
    lat = geopandas.points_from_xy(inside.x, inside.y, crs="EPSG:32633").to_crs("EPSG:4326").y
    assert lat.min() > 62 - 0.01
    assert lat.max() < 63 + 0.01


@pytest.mark.parametrize(
    ("overlap", "shared", "dropped"), [("drop", -1, 1), ("first", 0, 0), ("last", 1, 0)]
)
def test_overlap_of_classes_is_decided_as_asked(
    polygons: Callable[..., Path], overlap: str, shared: int, dropped: int
) -> None:
    file = polygons([box(0, 0, 10, 10), box(5, 0, 10, 10)], c=["a", "b"])
    labels, warned = read(config(file, field="c", overlap=overlap))
    drawn = picture(labels)
    assert (drawn[:10, 5:10] == shared).all()
    assert (drawn[:10, :5] == 0).all()
    assert (drawn[:10, 10:15] == 1).all()
    assert len(warned) == dropped
    assert not dropped or "50 cells stay unlabelled" in warned[0]


def test_smallest_wins_where_that_is_asked(polygons: Callable[..., Path]) -> None:
    file = polygons([box(5, 0, 10, 5), box(0, 0, 10, 10)], c=["a", "b"])
    assert (picture(read(config(file, field="c", overlap="smallest"))[0])[:5, 5:10] == 0).all()


@pytest.mark.parametrize("overlap", ["drop", "first", "last", "smallest"])
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_a_polygon_inside_another_has_its_own_cells(
    polygons: Callable[..., Path], overlap: str, order: tuple[int, ...]
) -> None:
    shapes = [box(0, 0, 20, 20), box(4, 4, 10, 10), box(6, 6, 4, 4)]
    names = ["land", "lake", "island"]
    file = polygons([shapes[n] for n in order], c=[names[n] for n in order])
    labels, warned = read(config(file, field="c", overlap=overlap))
    assert dict(zip([one.name for one in labels.classes], labels.counts, strict=True)) == {
        "land": 300, "lake": 84, "island": 16,
    }  # fmt: skip
    assert warned == []


def test_polygons_of_one_class_may_overlap(polygons: Callable[..., Path]) -> None:
    file = polygons([box(0, 0, 10, 10), box(5, 0, 10, 10), box(30, 0, 9, 9)], c=["a", "a", "b"])
    labels, warned = read(config(file, field="c"))
    assert labels.counts == (150, 81)
    assert warned == []


def test_invalid_and_outlying_geometry_and_missing_classes_are_told(
    polygons: Callable[..., Path],
) -> None:
    (left, top), (right, bottom) = GRID.transform @ (0, 0), GRID.transform @ (12, 12)
    tie = shapely.Polygon([(left, top), (right, bottom), (right, top), (left, bottom)])
    file = polygons(
        [tie, box(30, 30, 40, 40), box(900, 900, 5, 5), box(20, 20, 5, 5)],
        c=["a", "b", "a", None],
    )
    labels, warned = read(config(file, field="c", background="rest"))
    drawn = picture(labels)
    assert (drawn[6, 0:6] == 0).all()
    assert (drawn[1, 3:9] == 2).all()
    assert (drawn[20:25, 20:25] == -1).all(), "a feature without a class is no background"
    assert (drawn[30:, 30:] == 1).all()
    assert any("1 were repaired" in text for text in warned)
    assert any("1 label nothing" in text for text in warned)


def test_values_and_classes_that_do_not_meet_are_told(polygons: Callable[..., Path]) -> None:
    """Texts that look like missing values too, where they would be classes."""
    shapes = [box(0, 0, 10, 10), box(12, 0, 10, 10), box(24, 0, 10, 10)]
    file = polygons(shapes, c=["a", "b", "NULL"])
    _, warned = read(config(file, field="c", classes={"x": ("a", "q"), "y": "b"}))
    assert warned == [
        "labels.gpkg: labels.classes lists q, which no feature has: check it.",
        "labels.gpkg: NULL is in no class of labels.classes; the features that have it label "
        "nothing.",
    ]
    labels, warned = read(config(file, field="c"))
    assert len(labels.classes) == 3
    assert warned == [
        "labels.gpkg: the field 'c' has the text 'NULL', which is learned as a class: if it stands "
        "for missing values, empty these fields."
    ]


def test_corners_that_touch_once_they_are_cells_do_no_harm() -> None:
    """Outlines that are valid in degrees, and no longer after rounding, are mended again."""
    bow = shapely.Polygon([(2, 2), (8, 8), (8, 2), (2, 8)])
    shapes = np.array([bow, shapely.box(1, 1, 7, 9)], dtype=object)
    scene = PolygonScene(GRID, shapes, np.array([0, 1], np.int32), np.arange(2), overlap="drop")
    assert scene.overlaps == 1


def test_numbers_name_classes_in_their_order(polygons: Callable[..., Path]) -> None:
    file = polygons([box(0, 0, 5, 5), box(10, 0, 5, 5), box(20, 0, 5, 5)], c=[10.0, 2.0, 0.0])
    labels, _ = read(config(file, field="c"))
    assert [info.name for info in labels.classes] == ["0", "2", "10"]


def test_classes_are_chosen_merged_ordered_and_coloured(polygons: Callable[..., Path]) -> None:
    file = polygons([box(10 * n, 0, 5, 5) for n in range(4)], c=[1, 2, 3, 4])
    made = config(file, field="c", classes={"wet": (3, "1"), "dry": 2.0}, colors={"wet": "#0000ff"})
    labels, _ = read(made)
    assert [info.name for info in labels.classes] == ["wet", "dry"]
    assert labels.counts == (50, 25)
    assert labels.classes[0].color == "#0000ff"
    with pytest.raises(ConfigError, match=r"labels\.colors names 'moist', which is no class"):
        read(config(file, field="c", colors={"moist": "#000000"}))
    with pytest.raises(ConfigError, match=r"labels\.classes: 1 is 'a' and 'b'"):
        read(config(file, field="c", classes={"a": 1, "b": 1}))
    with pytest.raises(LabelsError, match="no feature has a class: the field 'c' has 1, 2, 3, 4"):
        read(config(file, field="c", classes={"a": 7, "b": 8}))


def test_scenes_share_features_and_have_their_own_fields(polygons: Callable[..., Path]) -> None:
    file = polygons([box(0, 0, 5, 5), box(10, 0, 5, 5)], a=["x", "y"], b=["y", "y"])
    labels, _ = read(config(file, field=("a", "b")), GRID, GRID)
    assert picture(labels, scene=0)[0, 0] == 0
    assert picture(labels, scene=1)[0, 0] == 1
    cells = labels.cells
    for scene in (0, 1):
        assert cells.group[(cells.scene == scene) & (cells.col == 0)][0] == 0
    with pytest.raises(LabelsError, match="names 2 fields for 1 scenes"):
        read(config(file, field=("a", "b")))


def test_cells_of_all_scenes_have_places_in_the_crs_of_the_first(
    polygons: Callable[..., Path],
) -> None:
    there = Transformer.from_crs("EPSG:32633", "EPSG:32632", always_xy=True)
    left, top = there.transform(500_300.0, 4_999_700.0)
    other = make_grid(40, 20, crs="EPSG:32632", left=left, top=top)
    file = polygons([box(0, 0, 20, 10), box(20, 10, 30, 30)], c=["a", "b"])
    cells = read(config(file, field="c"), GRID, other)[0].cells
    second = cells.scene == 1
    assert second.any()
    x, y = there.transform(cells.x[second], cells.y[second])
    row, col = other.locate(np.asarray(x), np.asarray(y))
    assert np.array_equal(row, cells.row[second])
    assert np.array_equal(col, cells.col[second])


def test_groups_and_dates_come_with_the_cells(polygons: Callable[..., Path]) -> None:
    file = polygons(
        [box(10 * n, 0, 5, 5) for n in range(3)],
        c=["a", "b", "a"], farm=["north", "south", "north"], day=["1970-01-03", "20199999", None],
    )  # fmt: skip
    labels, _ = read(config(file, field="c", group="farm", time="day"))
    assert labels.groups == ("north", "south")
    by_col = {int(col): index for index, col in enumerate(labels.cells.col)}
    assert [labels.cells.group[by_col[col]] for col in (0, 10, 20)] == [0, 1, 0]
    times = [labels.cells.time[by_col[col]] for col in (0, 10, 20)]
    assert times[0] == 2
    assert times[1] == 17897  # 2019-01-01
    assert np.isnan(times[2])
    with pytest.raises(LabelsError, match="'farm' has 'north' in row 1, which is no date"):
        read(config(file, field="c", time="farm"))


def test_values_are_learned_from_a_field_of_numbers(polygons: Callable[..., Path]) -> None:
    file = polygons([box(0, 0, 5, 5), box(10, 0, 5, 5)], depth=[1.5, 7.25], name=["a", "b"])
    labels, _ = read(config(file, field="depth", task="regression"))
    assert labels.cells.target.dtype == np.float32
    assert set(labels.cells.target) == {1.5, 7.25}
    assert labels.classes == ()
    with pytest.raises(LabelsError, match="column 'name' has 'a' in row 1, where a number belongs"):
        read(config(file, field="name", task="regression"))


def test_labels_away_from_the_rasters_are_refused_with_both_places(
    polygons: Callable[..., Path],
) -> None:
    file = polygons([box(900, 0, 5, 5), box(920, 0, 5, 5)], c=["a", "b"])
    with pytest.raises(LabelsError, match=r"does not overlap the rasters: in WGS 84 / UTM zone 33N,"
                       r" it covers \(527000, .* they cover \(500000, "):  # fmt: skip
        read(config(file, field="c"))
    tiny = polygons([box(0.1, 0.1, 0.2, 0.2), box(1.1, 0.1, 0.2, 0.2)], c=["a", "b"])
    with pytest.raises(LabelsError, match="hold no centre of a cell"):
        read(config(tiny, field="c"))


def test_fields_that_are_not_there_are_refused_with_those_that_are(
    polygons: Callable[..., Path],
) -> None:
    file = polygons([box(0, 0, 5, 5)], klass=["a"])
    for name in ("field", "group", "time"):
        with pytest.raises(LabelsError, match=rf"no field 'clas', which labels\.{name} names"):
            read(config(file, **{"field": "klass", name: "clas"}))
    with pytest.raises(LabelsError, match=r"name it with labels\.field \(there is klass\)"):
        read(config(file))


def test_a_class_of_three_cells_is_refused(polygons: Callable[..., Path]) -> None:
    file = polygons([box(0, 0, 5, 5), box(10, 0, 3, 1)], c=["a", "b"])
    with pytest.raises(LabelsError, match="class 'b' has 3 labelled cells, needed are 10"):
        read(config(file, field="c"))
    small = [box(10, 0, 3, 1), box(20, 0, 2, 1)]
    file = polygons([box(0, 0, 5, 5), *small], c=["a", "b", "c"])
    with pytest.raises(LabelsError, match=r"2 classes have fewer than 10 .* cells, 'b' 3, 'c' 2:"):
        read(config(file, field="c"))


def test_labels_that_leave_no_background_are_refused(polygons: Callable[..., Path]) -> None:
    """Nobody can label more of what no label covers."""
    file = polygons([box(0, 0, 30, 40), box(30, 0, 30, 40)], c=["a", "b"])
    with pytest.raises(LabelsError, match=r"background 'rest' has 0 cells .*reach beyond") as told:
        read(config(file, field="c", background="rest"))
    assert "label more" not in str(told.value)


def test_a_field_of_quantities_is_no_field_of_classes(polygons: Callable[..., Path]) -> None:
    file = polygons([box(n % 60, n // 60, 1, 1) for n in range(300)], c=list(np.arange(300) / 7))
    with pytest.raises(LabelsError, match=r'300 different values.* task = "regression"'):
        read(config(file, field="c"))


def test_labels_of_another_body_are_refused(polygons: Callable[..., Path]) -> None:
    file = polygons([box(0, 0, 5, 5), box(10, 0, 5, 5)], c=["a", "b"])
    moon = make_lonlat_grid()
    moon = Grid(type(moon.crs).from_user_input("IAU_2015:30100"), moon.transform, 60, 40)
    with pytest.raises(LabelsError, match=r"labels\.crs"):
        read(config(file, field="c"), moon)


def test_cells_where_nothing_can_be_seen_are_no_labels(polygons: Callable[..., Path]) -> None:
    file = polygons([box(0, 0, 10, 10), box(20, 0, 10, 10)], c=["a", "b"])
    labels, _ = read(
        config(file, field="c"), valid=lambda scene, window: np.arange(60)[None, :] % 2 == 0
        * np.ones((40, 1), bool),
    )  # fmt: skip
    assert labels.counts == (50, 50)


def test_every_error_is_one_sentence(polygons: Callable[..., Path], tmp_path: Path) -> None:
    write_tif(tmp_path / "codes.tif", np.zeros((40, 60), np.uint8))
    file = polygons([box(0, 0, 5, 5)], c=["a"])
    for made in (
        config(tmp_path / "none.gpkg", field="c"), config(file), config(file, field="x"),
        config(tmp_path / "codes.tif", field="x"), config(tmp_path / "codes.tif"),
        config(file, field="c", layer="no"), config(file, field="c", group="x"),
        config(file, field="c", class_name="b", background="rest"),
        config(file, field="c", columns={"radius": "c"}),
    ):  # fmt: skip
        with pytest.raises(GeotoolsError) as caught:
            read(made)
        assert str(caught.value).endswith(".")
        assert "\n" not in str(caught.value)


def test_a_buffer_goes_around_lines_on_the_ground(polygons: Callable[..., Path]) -> None:
    """In metres along both axes of degrees too, and from beyond the edge of the grid."""
    corners = [(12, 12), (40, 12)]
    line = shapely.LineString([GRID.transform @ place for place in corners])
    beyond = shapely.LineString([GRID.transform @ place for place in [(5, -2), (5, -2.5)]])
    file = polygons([line, beyond], c=["a", "b"])
    drawn = picture(read(config(file, field="c", buffer_m=150))[0])
    row, col = np.mgrid[:40, :60] + 0.5
    near = np.hypot(row - 12, np.maximum(np.maximum(12 - col, col - 40), 0))
    assert (drawn[near < 4.95] == 0).all()
    assert (drawn[3:][near[3:] > 5.05] == -1).all()
    assert (drawn[:2, 4:6] == 1).all()
    degrees = make_lonlat_grid(60, 40, top=60.0)
    ends = [degrees.transform @ place for place in [(30, 5), (30, 35)]]
    frame = geopandas.GeoDataFrame(
        {"c": ["a"]}, geometry=[shapely.LineString(ends)], crs="EPSG:4326"
    )
    pyogrio.write_dataframe(frame, file)
    labels, _ = read(config(file, field="c", background="rest", buffer_m=300), degrees)
    inside = picture(labels, degrees)[20] == 0
    x_m, _ = degrees.cell_size_m()
    assert abs(int(inside.sum()) - 600 / x_m[20]) <= 1


def test_a_buffer_around_polygons_is_refused(polygons: Callable[..., Path]) -> None:
    """It would be left out without a word; beside lines or points, polygons stay as they are."""
    file = polygons([box(2, 3, 10, 5), box(20, 10, 8, 8)], c=["a", "b"])
    with pytest.raises(LabelsError, match=r"labels\.gpkg holds polygons, and labels\.buffer_m is"):
        read(config(file, field="c", buffer_m=100))
    mixed = file.with_suffix(".geojson")
    point = shapely.Point(*(GRID.transform @ (40.5, 20.5)))
    frame = geopandas.GeoDataFrame(
        {"c": ["a", "b"]}, geometry=[box(2, 3, 10, 5), point], crs="EPSG:32633"
    )
    pyogrio.write_dataframe(frame, mixed)
    assert read(config(mixed, field="c", buffer_m=99))[0].counts == (50, 37)


@pytest.mark.parametrize(
    "classes",
    [{"wet": True, "dry": False}, {"wet": 1, "dry": 0}, {"wet": "true", "dry": "FALSE"}],
)
def test_true_and_false_are_values_of_classes(
    polygons: Callable[..., Path], classes: dict[str, Any]
) -> None:
    """However they are written, and where some are missing."""
    shapes = [box(2, 3, 10, 5), box(20, 10, 8, 8), box(40, 10, 8, 8)]
    file = polygons(shapes, c=[True, False, True])
    labels, warned = read(config(file, field="c", classes=classes))
    assert [info.name for info in labels.classes] == ["wet", "dry"]
    assert labels.counts == (114, 64)
    with sqlite3.connect(file) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in names.fetchall():
            database.execute(f'DROP TRIGGER "{name}"')  # they call functions of GDAL
        database.execute("UPDATE labels SET c = NULL WHERE fid = 3")
    database.close()
    labels, warned = read(config(file, field="c", classes=classes))
    assert labels.counts == (50, 64)
    assert warned == ["Features without a class or value: 1 label nothing."]


def test_features_that_label_nothing_are_counted(polygons: Callable[..., Path]) -> None:
    """Beside the centre of a cell, or hidden; not those without a class, or outside."""
    shapes = [
        box(2, 3, 10, 5), box(20, 10, 8, 8), box(30.1, 3.1, 0.3, 0.3), box(20, 10, 8, 8),
        box(35.1, 3.1, 0.3, 0.3), box(90, 3, 5, 5),
    ]  # fmt: skip
    file = polygons(shapes, c=["a", "b", "a", "b", None, "a"])
    assert read(config(file, field="c"))[1] == [
        "Features without a class or value: 1 label nothing.",
        "2 of 5 features on the rasters label nothing, as they hold no centre of a cell or lie "
        "under others: labels.all_touched labels each cell that one touches.",
    ]


def test_labels_that_are_neither_vectors_nor_a_raster_are_refused(tmp_path: Path) -> None:
    for name in ("labels.zip", "labels.xlsx", "labels.dbf"):
        (tmp_path / name).write_bytes(b"PK\3\4" + bytes(200))
        with pytest.raises(GeotoolsError, match="is neither a raster nor a vector file"):
            read(config(tmp_path / name, field="c"))
