"""geotools.io.geotiff and gate: reading."""

import zipfile
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import rasterio
from affine import Affine
from conftest import make_grid, make_terrain, write_tif
from rasterio.control import GroundControlPoint
from rasterio.crs import CRS
from rasterio.enums import ColorInterp

from geotools.errors import FileError, GeotoolsError, GridError, RasterError
from geotools.grid import TileScheme, Window
from geotools.io.geotiff import open_raster, parse_crs


def read_all(path, **options):
    with open_raster(path, **options) as source:
        return source.read(source.grid.window)


@pytest.mark.parametrize(
    "dtype", ["uint8", "int8", "int16", "uint16", "int32", "uint32", "int64", "float32", "float64"]
)
def test_types_come_back_as_stored(tmp_path, dtype):
    """Every real type is read as it is, cell for cell as rasterio reads it."""
    data = np.arange(12, dtype=dtype).reshape(3, 4)
    raster = read_all(write_tif(tmp_path / "a.tif", data))
    assert raster.data.dtype == dtype
    assert np.array_equal(raster.data[0], data)
    assert raster.valid.all()


def test_windows_are_pieces_of_the_whole(tmp_path):
    """Any window, inside or beyond, from any thread, is what the whole has there."""
    data = make_terrain(97, 133)
    data[10:20, 30:50] = np.nan
    path = write_tif(tmp_path / "a.tif", data, tiled=True, blockxsize=32, blockysize=48)
    rng = np.random.default_rng(0)
    corners, sizes = rng.integers(-40, 120, (40, 2)), rng.integers(1, 90, (40, 2))
    windows = [
        Window(*corner, *size)
        for corner, size in zip(corners.tolist(), sizes.tolist(), strict=True)
    ]
    with open_raster(path) as source, ThreadPoolExecutor(4) as pool:
        whole = source.read(source.grid.window)
        for window, part in zip(windows, pool.map(source.read, windows), strict=True):
            expected = whole.read(window)
            assert np.array_equal(part.valid, expected.valid)
            assert np.array_equal(part.filled(), expected.filled(), equal_nan=True)


def test_nodata_nan_and_infinity_are_invalid(tmp_path):
    """The declared value, NaN beside it, and infinities are invalid."""
    data = np.array([[1, -9999, np.nan, np.inf, 5]], np.float32)
    assert read_all(write_tif(tmp_path / "a.tif", data, nodata=-9999.0)).valid.tolist() == [
        [True, False, False, False, True]
    ]


def test_nodata_of_the_caller_replaces_that_of_the_file(tmp_path):
    """`nodata` says what is invalid, whatever the file says."""
    data = np.array([[1, 0, 7]], np.int16)
    path = write_tif(tmp_path / "a.tif", data, nodata=0)
    assert read_all(path, nodata=7).valid.tolist() == [[True, True, False]]


def test_nodata_of_the_caller_leaves_masks_alone(tmp_path):
    """What a mask band hides stays hidden."""
    mask = np.full((4, 4), 255, np.uint8)
    mask[0] = 0
    path = write_tif(tmp_path / "a.tif", np.arange(16, dtype=np.int16).reshape(4, 4))
    with (
        rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True),
        rasterio.open(path, "r+") as dataset,
    ):
        dataset.write_mask(mask)
    assert read_all(path, nodata=7).valid.sum() == 11


@pytest.mark.parametrize(
    ("dtype", "stored", "given"),
    [
        ("float32", np.finfo(np.float32).min, -3.40282347e38),
        ("float32", np.float32(-99999.9), -99999.9),
        ("int16", -1, -1.0),
    ],
)
def test_nodata_of_the_caller_is_rounded_as_the_cells_are(tmp_path, dtype, stored, given):
    """A number that people type matches the cell that it means."""
    data = np.array([[1, stored, 3]], dtype)
    path = write_tif(tmp_path / "a.tif", data)
    assert read_all(path, nodata=given).valid.tolist() == [[True, False, True]]


def test_nodata_that_no_cell_can_hold(tmp_path):
    """A value outside the type, or NaN, marks nothing."""
    path = write_tif(tmp_path / "a.tif", np.array([[1, 255]], np.uint8))
    for value in (-9999, 300, 1.5, float("nan")):
        assert read_all(path, nodata=value).valid.all()


def test_degrees_beyond_the_poles(tmp_path):
    """A raster in metres that is given a geographic CRS is refused."""
    path = write_tif(tmp_path / "a.tif", np.ones((4, 4), np.float32), crs=None)
    with pytest.raises(GridError, match="beyond the poles"):
        read_all(path, crs="EPSG:4326")


def test_scale_and_offset_apply(tmp_path):
    """Stored numbers become physical ones, as float32."""
    path = write_tif(tmp_path / "a.tif", np.array([[10, -1]], np.int16), nodata=-1)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = (0.5,), (100,)
    raster = read_all(path)
    assert raster.data.dtype == np.float32
    assert raster.data[0, 0, 0] == 105
    assert raster.valid.tolist() == [[True, False]]


def test_mask_alpha_and_msk(tmp_path):
    """Internal masks, alpha bands and .msk files all mean invalid; alpha is no data band."""
    data = np.ones((1, 4, 4), np.uint8)
    mask = np.full((4, 4), 255, np.uint8)
    mask[0, 0] = 0
    for internal in (True, False):
        path = tmp_path / f"mask{internal}.tif"
        with (
            rasterio.Env(GDAL_TIFF_INTERNAL_MASK=internal),
            rasterio.open(write_tif(path, data), "r+") as dataset,
        ):
            dataset.write_mask(mask)
        assert path.with_suffix(".tif.msk").exists() != internal
        assert read_all(path).valid.sum() == 15
    path = write_tif(tmp_path / "alpha.tif", np.concatenate([data, mask[None]]), alpha="yes")
    with rasterio.open(path, "r+") as dataset:
        dataset.colorinterp = [ColorInterp.gray, ColorInterp.alpha]
    raster = read_all(path)
    assert raster.data.shape == (1, 4, 4)
    assert raster.valid.sum() == 15


def test_a_cell_is_valid_when_all_bands_are(tmp_path):
    """One band without data makes the cell invalid."""
    data = np.array([[[1, 0]], [[3, 4]]], np.int16)
    path = write_tif(tmp_path / "a.tif", data, nodata=0)
    assert read_all(path).valid.tolist() == [[True, False]]
    assert read_all(path, bands=[2]).valid.tolist() == [[True, True]]
    with pytest.raises(RasterError, match="not a band 3"):
        read_all(path, bands=[3])


@pytest.mark.parametrize("flip", [(1, -1), (-1, 1), (-1, -1)])
def test_mirrored_rasters_are_turned(tmp_path, flip):
    """South-up and mirrored rasters have the same cells at the same places."""
    data = make_terrain(20, 30)
    grid = make_grid(30, 20)
    cols, rows = flip
    transform = (
        grid.transform
        @ Affine.translation(30 if cols < 0 else 0, 20 if rows < 0 else 0)
        @ Affine.scale(cols, rows)
    )
    turned = data[:: 1 if rows > 0 else -1, :: 1 if cols > 0 else -1]
    path = write_tif(tmp_path / "a.tif", turned, transform=transform)
    with open_raster(path) as source:
        assert source.grid == grid
        part = Window(3, 4, 11, 7)
        assert np.array_equal(source.read(part).data[0], data[part.slices()])


def test_rotated_raster_is_warped(tmp_path):
    """A plane in a rotated raster is the same plane on the north-up grid."""
    transform = Affine.translation(5e5, 5e6) @ Affine.rotation(30) @ Affine.scale(10, -10)
    row, col = np.mgrid[:80, :90] + 0.5
    x, y = transform @ (col, row)
    plane = (0.02 * (x - 5e5) + 0.05 * (y - 5e6)).astype(np.float32)
    path = write_tif(tmp_path / "a.tif", plane, transform=transform)
    raster = read_all(path)
    assert 0.3 < raster.valid.mean() < 0.9
    row, col = np.mgrid[: raster.grid.height, : raster.grid.width] + 0.5
    x, y = raster.grid.transform @ (col, row)
    expected = 0.02 * (x - 5e5) + 0.05 * (y - 5e6)
    inner = raster.valid.copy()
    for shift in (-2, 2):  # bilinear sampling at the border has neighbours on one side only
        for axis in (0, 1):
            inner &= np.roll(raster.valid, shift, axis)
    assert np.abs(raster.data[0] - expected)[inner].max() < 0.01


def test_a_rotated_raster_does_not_depend_on_the_window(tmp_path):
    """Warped cells are the same to the last bit in windows of any size, on rough ground too."""
    transform = Affine.translation(5e5, 5e6) @ Affine.rotation(20) @ Affine.scale(10, -10)
    rough = make_terrain(700, 600) + np.random.default_rng(0).normal(0, 5, (700, 600))
    path = write_tif(tmp_path / "a.tif", rough.astype(np.float32), transform=transform)
    with open_raster(path) as source:
        whole = source.read(source.grid.window)
        for size in (100, 333, 512):
            for tile in TileScheme(size, margin=7).tiles(source.grid):
                part, expected = source.read(tile.read), whole.read(tile.read)
                assert np.array_equal(part.valid, expected.valid)
                assert np.array_equal(part.data[0][part.valid], expected.data[0][part.valid])


@pytest.mark.parametrize(
    ("dtype", "missing"), [("uint8", 255), ("int16", -9999), ("float32", -9999.0)]
)
def test_nodata_of_the_caller_on_a_rotated_raster(tmp_path, dtype, missing):
    """Missing cells are neither blended into neighbours nor seen outside the raster."""
    transform = Affine.translation(5e5, 5e6) @ Affine.rotation(30) @ Affine.scale(10, -10)
    data = np.full((60, 70), 100, dtype)
    data[20:30, 20:40] = missing
    raster = read_all(write_tif(tmp_path / "a.tif", data, transform=transform), nodata=missing)
    assert np.array_equal(np.unique(raster.data[0][raster.valid]), [100])
    assert 0.2 < raster.valid.mean() < 0.7


def test_ground_control_points_place_a_raster(tmp_path):
    """A raster placed by points alone is warped to a grid."""
    points = [
        GroundControlPoint(row, col, 5e5 + 10 * col, 5e6 - 10 * row)
        for row in (0, 40)
        for col in (0, 50)
    ]
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", count=1, width=50, height=40, dtype="float32",
        gcps=points, crs="EPSG:32633",
    ) as dataset:  # fmt: skip
        dataset.write(make_terrain(40, 50)[None])
    raster = read_all(path)
    assert raster.grid.transform.a == pytest.approx(10, rel=0.01)
    assert raster.valid.mean() > 0.9


def test_no_crs_names_the_remedy(tmp_path):
    """Without a CRS there is one sentence with --crs; with it the raster opens."""
    path = write_tif(tmp_path / "a.tif", np.ones((4, 4), np.float32), crs=None)
    with pytest.raises(GridError, match="--crs"):
        read_all(path)
    assert read_all(path, crs="EPSG:32633").grid.crs == CRS.from_epsg(32633)
    with pytest.raises(GridError, match="EPSG:4326"):
        read_all(path, crs="EPSG:nonsense")
    with pytest.raises(GridError):
        parse_crs("")


def test_no_place_at_all(tmp_path):
    """A CRS alone does not say where the cells are."""
    path = tmp_path / "a.png"
    with (
        pytest.warns(rasterio.errors.NotGeoreferencedWarning),
        rasterio.open(path, "w", driver="PNG", count=1, width=4, height=4, dtype="uint8") as file,
    ):
        file.write(np.ones((1, 4, 4), np.uint8))
    with pytest.raises(GridError, match="georeference"):
        read_all(path, crs="EPSG:32633")


def test_complex_numbers_are_refused(tmp_path):
    """Complex rasters are refused with a remedy."""
    with pytest.raises(RasterError, match="complex"):
        read_all(write_tif(tmp_path / "a.tif", np.ones((4, 4), np.complex64)))


def test_not_a_raster(tmp_path):
    """Missing files, folders, text and remote names: one sentence each."""
    text = tmp_path / "a.tif"
    text.write_text("not a raster")
    for path in (
        tmp_path / "no.tif",
        tmp_path,
        text,
        "https://example.com/a.tif",
        "",
        "/vsicurl/x",
    ):
        with pytest.raises(FileError) as caught:
            read_all(path)
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_truncated_files_are_told(tmp_path, share):
    """A file that was cut is an error that names it, never zeros."""
    path = write_tif(
        tmp_path / "a.tif", make_terrain(300, 300), tiled=True, blockxsize=64, blockysize=64,
        compress="deflate",
    )  # fmt: skip
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(FileError, match=r"a\.tif"):
        read_all(path)


def test_zip_holds_one_raster(tmp_path):
    """A .zip with one raster opens, and its /vsizip/ path; with two it says how to choose."""
    path = write_tif(tmp_path / "a.tif", make_terrain(9, 9))
    archive = tmp_path / "a.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(path, "inner/a.tif")
        file.writestr("readme.txt", "hello")
    expected = read_all(path).data
    assert np.array_equal(read_all(archive).data, expected)
    assert np.array_equal(read_all(f"/vsizip/{archive}/inner/a.tif").data, expected)
    with zipfile.ZipFile(archive, "a") as file:
        file.write(path, "b.tif")
    with pytest.raises(FileError, match="/vsizip/"):
        read_all(archive)
    archive.write_bytes(b"PK no")
    with pytest.raises(FileError, match="unpack"):
        read_all(archive)


def test_sparse_blocks_are_not_read(tmp_path):
    """A huge, empty raster is invalid everywhere and costs nothing."""
    path = tmp_path / "a.tif"
    grid = make_grid(100_000, 100_000)
    with rasterio.open(
        path, "w", driver="GTiff", count=1, width=grid.width, height=grid.height, dtype="float32",
        crs=grid.crs, transform=grid.transform, nodata=-1.0, tiled=True, sparse_ok=True,
        blockxsize=512, blockysize=512, bigtiff="yes",
    ) as dataset:  # fmt: skip
        dataset.write(np.ones((1, 4, 4), np.float32), window=((0, 4), (0, 4)))
    with open_raster(path) as source:
        assert source.read(Window(0, 0, 8, 8)).valid.sum() == 16
        assert not source.read(Window(50_000, 50_000, 1024, 1024)).valid.any()


def test_a_block_too_large_is_refused(tmp_path):
    """A raster in one block of gigabytes is refused before it is read."""
    path = tmp_path / "a.tif"
    with rasterio.open(
        path, "w", driver="GTiff", count=1, width=60_000, height=60_000, dtype="uint8",
        crs="EPSG:32633", transform=make_grid().transform, sparse_ok=True, nodata=0,
        tiled=True, blockxsize=30_000 // 16 * 16 * 2, blockysize=30_000 // 16 * 16 * 2,
    ):  # fmt: skip
        pass
    with pytest.raises(RasterError, match="TILED=YES"):
        read_all(path)


VRT = """<VRTDataset rasterXSize="4" rasterYSize="4"><SRS>EPSG:32633</SRS>
<GeoTransform>500000, 30, 0, 5000000, 0, -30</GeoTransform>
<VRTRasterBand dataType="Float32" band="1"{more}><SimpleSource>
<SourceFilename relativeToVRT="1">{source}</SourceFilename><SourceBand>1</SourceBand>
</SimpleSource></VRTRasterBand></VRTDataset>"""


def test_a_vrt_may_name_local_rasters_alone(tmp_path):
    """A plain VRT opens; scripts, remote and missing sources, nested VRTs do not."""
    write_tif(tmp_path / "a.tif", np.ones((4, 4), np.float32))
    path = tmp_path / "a.vrt"
    path.write_text(VRT.format(source="a.tif", more=""))
    assert read_all(path).data.shape == (1, 4, 4)
    (tmp_path / "b.tif").write_text(VRT.format(source="a.tif", more=""))
    for source, more in (
        ("/vsicurl/http://127.0.0.1:9/x.tif", ""),
        ("http://127.0.0.1:9/x.tif", ""),
        ("missing.tif", ""),
        ("b.tif", ""),
        ("a.tif", ' subClass="VRTDerivedRasterBand"><PixelFunctionType>x</PixelFunctionType'),
        ("a.tif", ' subClass="VRTRawRasterBand"'),
    ):
        path.write_text(VRT.format(source=source, more=more))
        with pytest.raises(GeotoolsError):
            read_all(path)
    disguised = tmp_path / "c.tif"
    disguised.write_text(VRT.format(source="/vsicurl/http://127.0.0.1:9/x.tif", more=""))
    with pytest.raises(FileError, match="local"):
        read_all(disguised)


def test_strips_get_a_cache_that_holds_a_band(tmp_path):
    """GDAL's cache grows for files of strips, within limits, and not for tiled ones."""
    from rasterio.env import getenv

    data = np.zeros((64, 20_000), np.float32)
    for name, options, rows, expected in (
        ("a", {}, 1000, 120e6), ("b", {}, 100_000, 512 * 2**20),
        ("c", {"tiled": True, "blockxsize": 256, "blockysize": 256}, 1000, 48 * 2**20),
    ):  # fmt: skip
        path = write_tif(tmp_path / f"{name}.tif", data, **options)
        with open_raster(path) as source, source.block_cache(rows):
            assert getenv()["GDAL_CACHEMAX"] == pytest.approx(expected, rel=0.01)
