"""ONNX Runtime, and nowhere else: models run over rasters by tiles."""
