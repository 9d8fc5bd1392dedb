"""Samples in, unit vectors out. Knows no file of media."""
