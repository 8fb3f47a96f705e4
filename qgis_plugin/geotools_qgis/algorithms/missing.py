"""Missing values that the user has set on a raster layer, as the engine is told of them.

QGIS lets additional values count as missing, and the file's own value as data. The engine takes one
value, instead of the file's own.
"""

__all__ = ["NONE", "missing_value"]

NONE = "nan"
"""What the engine is told when no value counts as missing."""


def missing_value(layer, band=None):
    """The engine's word for what is set on a layer, and why there is none: one of both is empty.

    Args:
        layer: a raster layer; both are empty where it shows what its file says, and where the file
            that is read is written by QGIS, which heeds what is set.
        band: the only one that is read; all of them by default.
    """
    if layer.providerType() != "gdal":
        return "", ""
    provider = layer.dataProvider()
    bands = [band] if band else range(1, layer.bandCount() + 1)
    found = {_of_band(provider, number) for number in bands}
    if all(not values and not is_off for values, is_off, _ in found):
        return "", ""
    if len(found) > 1:
        return "", "its bands have different ones"
    ((values, _, has_own),) = found
    if not values:
        return NONE, ""
    if has_own:
        return "", "its file has one of its own beside them"
    if len(values) > 1 or values[0][0] != values[0][1]:
        return "", "there are several"
    if any((provider.bandScale(n), provider.bandOffset(n)) != (1.0, 0.0) for n in bands):
        return "", "its file has a scale"
    return repr(values[0][0]), ""


def _of_band(provider, number):
    """Ranges that were added, whether the file's own value is off, and whether it counts."""
    has_own = provider.sourceHasNoDataValue(number)
    counts = has_own and provider.useSourceNoDataValue(number)
    own = provider.sourceNoDataValue(number) if counts else None
    added = [(one.min(), one.max()) for one in provider.userNoDataValues(number)]
    return tuple(one for one in added if one != (own, own)), has_own and not counts, counts
