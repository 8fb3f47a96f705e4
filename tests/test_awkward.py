"""Valid but unusual rasters: each gives a right map or one clear sentence, and nothing else."""

import os
from pathlib import Path

import numpy as np
import pytest
import rasterio
from conftest import SHARED

from geotools.errors import GeotoolsError
from geotools.io.geotiff import open_raster
from geotools.maps import DemOptions, Geomorphons, map_landforms
from geotools.terrain.geomorphons import geomorphons, search_unit

BANDS, CELLS, CRS, PLACE = "an elevation model has one", "at least 3 x 3", "--crs", "georeference"
RASTER = "cannot be opened as a raster"

REFUSED = {
    "README.tsv": RASTER,
    "gdal__1bit_2bands.tif": CRS,
    "gdal__bigtiff_two_strip_long8.tif": CRS,
    "gdal__byte_nogeoref.tif.aux.xml": RASTER,
    "gdal__cint16.tif": "complex",
    "gdal__gtiff__non_square_pixels.tif": CRS,
    "gdal__gtiff__rgbsmall_DEFLATE_tiled_separate.tif": BANDS,
    "gdal__gtiff__rgbsmall_JPEG_ycbcr.tif": BANDS,
    "gdal__gtiff__rgbsmall_WEBP.tif": BANDS,
    "gdal__gtiff__sparse_tiled_contig.tif": CRS,
    "gdal__gtiff__testrat.tif.vat.dbf": RASTER,
    "gdal__gtiff__tiff_srs_iau_2015_30110.tif": CELLS,
    "gdal__gtiff__uint16_nodata_65535_bigtiff.tif": CRS,
    "gdal__negative_scaley.tif": CELLS,
    "gdal__oddsize1bit.tif": CRS,
    "gdal__stefan_full_rgba.tif": CRS,
    "gdal__test3_with_mask_1bit_and_ovr.tif": CRS,
    "gdal__test_average_palette.tif": CRS,
    "gdal__test_with_mask_8bit.tif": CRS,
    "gdal__tiff_vertcs_scale_offset.tif": CELLS,
    "landlab__landslide_polygon.asc": CRS,
    "landlab__pre_runout_DEM.asc": CRS,
    "rasterio__RGB2.byte.tif": BANDS,
    "rasterio__RGB2.byte.tif.msk": CRS,
    "rasterio__RGBA.uint16.tif": BANDS,
    "rasterio__all-nodata.tif": BANDS,
    "rasterio__cogeo.tif": BANDS,
    "rasterio__float_nan.tif": CRS,
    "rasterio__goes.tif": BANDS,
    "rasterio__rotated.tif": CRS,
    "rasterio__test_esri_wkt.tif": CELLS,
    "riocogeo__image_171px.tif": BANDS,
    "riocogeo__image_51px.tif": BANDS,
    "riocogeo__image_colormap.tif": "colour table",
    "riocogeo__image_rgb_mask.tif": BANDS,
    "riocogeo__image_webp.tif": BANDS,
    "riotiler__cog_dateline.tif": "--nodata 55052",
    "riotiler__cog_hirise_mars.tif": BANDS,
    "riotiler__cog_scale_epsg4326.tif": BANDS,
    "riotiler__inverted_lat.tif": "no valid cell",
}
"""Files that are no elevation model as they are, with a piece of the sentence."""

REFUSED_WITH_CRS = {
    "gdal__1bit_2bands.tif": PLACE,
    "gdal__gtiff__non_square_pixels.tif": CELLS,
    "gdal__stefan_full_rgba.tif": PLACE,
    "rasterio__float_nan.tif": CELLS,
}
"""The same when the CRS is given."""

FILES = sorted(path.name for path in (SHARED / "awkward_dev").glob("*")) or ["(absent)"]


@pytest.mark.parametrize("name", FILES)
def test_right_map_or_one_sentence(shared: Path, tmp_path: Path, name: str):
    """A map equal to the algorithm on the array that rasterio reads, or a refusal."""
    path, output = shared / "awkward_dev" / name, tmp_path / "out.tif"
    if name in REFUSED:
        with pytest.raises(GeotoolsError) as caught:
            map_landforms(path, output, method=Geomorphons())
        assert REFUSED[name] in str(caught.value)
        assert "\n" not in str(caught.value)
        assert os.listdir(tmp_path) == []
        return
    map_landforms(path, output, method=Geomorphons(), effort=None)
    with open_raster(path) as source, rasterio.open(output) as made, rasterio.open(path) as plain:
        assert made.crs == source.grid.crs
        assert made.transform == source.grid.transform
        block = source.read(source.grid.window)
        codes = made.read(1)
        assert np.array_equal(codes > 0, block.valid)
        x_m, y_m = source.grid.cell_size_m()
        expected = geomorphons(block.filled()[0], x_m, y_m, unit_m=search_unit(x_m, y_m))
        assert np.array_equal(codes, expected)
        turned = plain.transform.b or plain.transform.e > 0 or not plain.crs
        if not turned:  # read another way, by rasterio's own masked array
            masked = plain.read(1, masked=True)
            finite = np.isfinite(masked.filled(0).astype(float))
            assert np.array_equal(block.valid, ~np.ma.getmaskarray(masked) & finite)
            stored = masked.astype(np.float64) * plain.scales[0] + plain.offsets[0]
            assert np.allclose(block.data[0][block.valid], stored.data[block.valid], rtol=1e-6)


@pytest.mark.parametrize("name", REFUSED_WITH_CRS)
def test_a_crs_alone_does_not_help(shared: Path, tmp_path: Path, name: str):
    """Rasters that lack more than a CRS say what else is missing."""
    with pytest.raises(GeotoolsError) as caught:
        map_landforms(
            shared / "awkward_dev" / name, tmp_path / "out.tif",
            method=Geomorphons(), reading=DemOptions(crs="EPSG:32633"),
        )  # fmt: skip
    assert REFUSED_WITH_CRS[name] in str(caught.value)


@pytest.mark.parametrize(
    "name",
    ["landlab__pre_runout_DEM.asc", "landlab__landslide_polygon.asc", "rasterio__rotated.tif"],
)
def test_a_crs_helps(shared: Path, tmp_path: Path, name: str):
    """Rasters that lack a CRS alone are mapped when it is given."""
    made = map_landforms(
        shared / "awkward_dev" / name, tmp_path / "out.tif",
        method=Geomorphons(), reading=DemOptions(crs="EPSG:32633"),
    )  # fmt: skip
    assert sum(made.area_m2.values()) > 0
