"""What a training leaves: the proven `.onnx`, its card and STAC Item, its variant for Deepness."""
