"""How a catalogue of an older format becomes one of this format (Alembic)."""
