"""The published networks, a file or folder each: prepared samples in, unit vectors out."""
