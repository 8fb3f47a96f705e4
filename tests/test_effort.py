"""geotools.effort."""

import pytest

from geotools.effort import Effort, parse_bytes
from geotools.errors import GeotoolsError


@pytest.mark.parametrize(
    ("text", "expected"),
    [("512M", 512 * 2**20), ("2g", 2**31), ("1.5 GiB", 3 * 2**29), ("1000", 1000), ("3KB", 3072)],
)
def test_sizes(text, expected):
    """Sizes are read in powers of 1024."""
    assert parse_bytes(text) == expected


@pytest.mark.parametrize("text", ["", "much", "-1G", "1X", "1e9"])
def test_no_sizes(text):
    """Anything else is refused."""
    with pytest.raises(GeotoolsError, match="2G"):
        parse_bytes(text)


def test_plan_keeps_to_the_memory():
    """What is planned fits, prefers fewer threads to tiny tiles, and obeys what is given."""
    work = {"tile": 1024, "halo": 48, "bytes_per_cell": 1000}
    assert Effort(threads=2).plan(**work) == (1024, 2)
    assert Effort(threads=2, tile=128).plan(**work) == (128, 2)
    for megabytes in (320, 500, 1000, 2000, 4000):
        tile, threads = Effort(threads=4, memory_bytes=megabytes * 2**20).plan(**work)
        assert threads * (tile + 96) ** 2 * 1000 <= (megabytes - 200) * 2**20
        assert tile >= 256 or threads == 1
    with pytest.raises(GeotoolsError, match="raise --memory"):
        Effort(memory_bytes=100 * 2**20).plan(**work)


@pytest.mark.parametrize("values", [{"threads": 0}, {"tile": 4}, {"tile": 10**6}])
def test_nonsense(values):
    """Threads and tiles that cannot be are refused."""
    with pytest.raises(GeotoolsError):
        Effort(**values)


@pytest.mark.parametrize(("tile", "megabytes", "hint"), [(4096, 300, True), (64, 100, False)])
def test_a_smaller_tile_is_advised_where_it_helps(tile, megabytes, hint):
    """What is needed whatever the tiles is no reason to make them smaller."""
    effort = Effort(tile=tile, threads=1, memory_bytes=megabytes * 2**20)
    with pytest.raises(GeotoolsError, match="raise --memory") as found:
        effort.plan(tile=1024, halo=8, bytes_per_cell=1000)
    assert ("smaller --tile" in str(found.value)) == hint
