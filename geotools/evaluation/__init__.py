"""How good a map or a forecast is, measured against baselines."""
