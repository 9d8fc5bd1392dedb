"""One step of the catalogue format per file, oldest first."""
