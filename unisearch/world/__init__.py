"""Makes sample media of everyday concepts: meshes, pictures, sounds, captions."""
