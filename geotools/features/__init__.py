"""Features by name: what models learn from, computed alike in training and in inference."""
