"""The published spaces: which towers they join for which modality, and how."""
