"""Learners: what turns labelled cells into a model; all behind one protocol and one table.

Each kind has its own file; what they share, the material and the fitted model, is in `protocol`.
"""
