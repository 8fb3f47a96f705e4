"""Splits: labelled cells dealt into rounds of training, validation and test."""
