"""MS-CLIP-S: one transformer that pictures and texts share, with norms and stems of their own.

Facts: "Learning Visual Representation from Modality-Shared Contrastive Language-Image
Pre-training" (ECCV 2022) and its released inference code; written anew from those.
"""
