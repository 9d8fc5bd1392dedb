"""The page for browsers: Python only, on the same service as the routes."""
