"""Files in, samples out. Knows no model."""
