"""Learning: PyTorch and scikit-learn, here and nowhere else; what leaves is an `.onnx` file."""
