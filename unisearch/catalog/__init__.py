"""What we know of each item, content and segment (SQLite)."""
