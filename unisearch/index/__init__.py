"""Vectors and keys in, nearest keys out. Knows neither files nor models."""
