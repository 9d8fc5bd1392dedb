"""Trains spaces and measures them."""
