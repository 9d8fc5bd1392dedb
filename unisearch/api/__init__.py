"""The HTTP door: asks who calls, parses, calls the engine, answers in JSON."""
