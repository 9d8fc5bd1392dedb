"""Makes sample media (meshes, pictures, sounds, captions) of everyday things from a seed."""
