"""Finds and verifies weights."""
