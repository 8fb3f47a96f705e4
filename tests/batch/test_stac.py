"""geotools.batch.stac: items and collections as pystac writes them, and hostile ones."""

import json
from datetime import UTC, datetime

import pytest

from geotools.batch.config import make_job
from geotools.batch.inputs import find_inputs
from geotools.batch.stac import choose_assets, read_items
from geotools.errors import FileError


def item(assets, **more):
    return {"type": "Feature", "id": "one", "properties": {}, "assets": assets, **more}


def write(path, content):
    path.write_text(json.dumps(content))
    return path


def test_collections_of_pystac_are_read(tmp_path):
    """Ids, dates, collections; the asset with the role data, relative to the file."""
    pystac = pytest.importorskip("pystac", reason="pystac makes the STAC files (extra: test)")
    items = []
    for day in (3, 4):
        one = pystac.Item(f"scene/{day}", None, None, datetime(2020, 5, day, 10, tzinfo=UTC), {})
        one.collection_id = "dems"
        one.add_asset("look", pystac.Asset("look.png", roles=["thumbnail"]))
        one.add_asset("dem", pystac.Asset(f"./dems/my%20{day}.tif", roles=["data"]))
        items.append(one)
    (tmp_path / "stac" / "dems").mkdir(parents=True)
    (tmp_path / "stac" / "dems" / "my 3.tif").write_text("x")
    pystac.ItemCollection(items).save_object(str(tmp_path / "stac" / "items.json"))
    items[0].save_object(include_self_link=False, dest_href=str(tmp_path / "stac" / "single.json"))
    job = make_job(
        {"operation": "terrain", "output": "out",
         "inputs": [{"stac": "stac/items.json"}, {"stac": "stac/single.json", "asset": "dem"}]}
    )  # fmt: skip
    first, second, single = find_inputs(job, tmp_path, tmp_path / "out")
    assert first.fields == {
        "stem": "my 3", "name": "scene/3", "operation": "terrain", "id": "scene/3",
        "date": "2020-05-03", "collection": "dems",
    }  # fmt: skip
    assert first.paths[0].is_file()
    assert second.paths[0] == tmp_path / "stac" / "dems" / "my 4.tif"
    assert single.paths[0].samefile(first.paths[0])


def test_assets_are_chosen_by_key_or_role(tmp_path):
    """Several keys are several rasters; one asset alone needs neither."""
    file = write(tmp_path / "a.json", item({"b": {"href": "b.tif"}, "c": {"href": "/x/c.tif"}}))
    (one,) = read_items(file)
    assert [path.name for path in choose_assets(one, ["c", "b"], "data", file)] == [
        "c.tif",
        "b.tif",
    ]
    with pytest.raises(FileError, match="no asset with the role 'data': name one with asset, of b"):
        choose_assets(one, [], "data", file)
    with pytest.raises(FileError, match="no asset 'd': there are b, c"):
        choose_assets(one, ["d"], "data", file)
    alone = write(tmp_path / "b.json", item({"b": {"href": "file:///x/my%20b.tif"}}))
    assert str(choose_assets(read_items(alone)[0], [], "data", alone)[0]) == "/x/my b.tif"


@pytest.mark.parametrize(
    "href",
    ["https://example.org/a.tif", "s3://bucket/a.tif", "/vsicurl/http://x/a.tif", "a\0b", "", None,
     3, "file://host/a.tif"],
)  # fmt: skip
def test_assets_that_are_no_local_files(tmp_path, href):
    """Nothing is fetched; the input fails by itself."""
    write(tmp_path / "a.json", item({"b": {"href": href}}))
    job = make_job({"operation": "terrain", "output": "out", "inputs": [{"stac": "a.json"}]})
    (one,) = find_inputs(job, tmp_path, tmp_path / "out")
    assert "asset 'b' of the item one" in one.problem
    assert one.paths == ()


@pytest.mark.parametrize(
    ("content", "words"),
    [("[" * 100_000, "not JSON"), ("{", "not JSON"), ("[]", "no STAC item"),
     ('{"type": "Collection"}', "it is a Collection"), ('{"type": "Feature"}', "has no assets"),
     ('{"type": "FeatureCollection", "features": [3]}', "item 1 has no assets"),
     ('{"type": "Feature", "assets": [1]}', "has no assets")],
)  # fmt: skip
def test_files_that_are_no_items(tmp_path, content, words):
    """One sentence, whatever the JSON."""
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(FileError, match=words):
        read_items(tmp_path / "a.json")


def test_odd_properties_say_nothing(tmp_path):
    """A date that is none and parts of other types are left out."""
    file = write(
        tmp_path / "a.json",
        item(
            {"b": {"href": "b.tif", "roles": "data"}, "c": 3}, properties={"datetime": 7}, id=None
        ),
    )
    (one,) = read_items(file)
    assert (one.date, one.id, list(one.assets)) == ("", "None", ["b"])
