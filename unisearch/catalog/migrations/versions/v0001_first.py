"""Format 1: the first catalogue."""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None

TABLES = (
    """CREATE TABLE roots (
        id INTEGER NOT NULL PRIMARY KEY,
        path BLOB NOT NULL UNIQUE
    )""",
    """CREATE TABLE contents (
        id INTEGER NOT NULL PRIMARY KEY,
        digest BLOB NOT NULL,
        size_bytes INTEGER NOT NULL,
        modality TEXT NOT NULL,
        grid_version INTEGER NOT NULL,
        width FLOAT, height FLOAT, duration_s FLOAT, rate_hz FLOAT,
        channels FLOAT, vertices FLOAT, faces FLOAT, chars FLOAT,
        words TEXT NOT NULL,
        truncated_at_s FLOAT,
        UNIQUE (digest, size_bytes, grid_version)
    )""",
    """CREATE TABLE items (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        root_id INTEGER NOT NULL REFERENCES roots (id),
        rel_path BLOB NOT NULL,
        display TEXT NOT NULL,
        suffix TEXT NOT NULL,
        content_id INTEGER REFERENCES contents (id),
        inode INTEGER NOT NULL,
        device INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        ctime_ns INTEGER NOT NULL,
        UNIQUE (root_id, rel_path)
    )""",
    "CREATE INDEX items_by_content ON items (content_id)",
    "CREATE INDEX items_by_inode ON items (inode)",
    """CREATE TABLE segments (
        id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
        content_id INTEGER NOT NULL REFERENCES contents (id),
        ordinal INTEGER NOT NULL,
        start_s FLOAT,
        end_s FLOAT,
        text TEXT NOT NULL,
        UNIQUE (content_id, ordinal)
    )""",
    """CREATE TABLE failures (
        id INTEGER NOT NULL PRIMARY KEY,
        root_id INTEGER NOT NULL REFERENCES roots (id),
        rel_path BLOB NOT NULL,
        display TEXT NOT NULL,
        kind TEXT NOT NULL,
        message TEXT NOT NULL,
        inode INTEGER NOT NULL,
        device INTEGER NOT NULL,
        size_bytes INTEGER NOT NULL,
        mtime_ns INTEGER NOT NULL,
        ctime_ns INTEGER NOT NULL,
        UNIQUE (root_id, rel_path)
    )""",
    """CREATE TABLE spaces (
        id TEXT NOT NULL PRIMARY KEY,
        name TEXT NOT NULL,
        dim INTEGER NOT NULL,
        added TEXT NOT NULL
    )""",
    """CREATE TABLE partitions (
        id INTEGER NOT NULL PRIMARY KEY,
        space_id TEXT NOT NULL REFERENCES spaces (id),
        modality TEXT NOT NULL,
        epoch INTEGER NOT NULL,
        count INTEGER NOT NULL,
        dead INTEGER NOT NULL,
        UNIQUE (space_id, modality)
    )""",
    """CREATE TABLE blocks (
        partition_id INTEGER NOT NULL REFERENCES partitions (id),
        epoch INTEGER NOT NULL,
        block INTEGER NOT NULL,
        rows INTEGER NOT NULL,
        checksum BLOB NOT NULL,
        PRIMARY KEY (partition_id, epoch, block)
    ) WITHOUT ROWID""",
    """CREATE TABLE dead_rows (
        partition_id INTEGER NOT NULL REFERENCES partitions (id),
        epoch INTEGER NOT NULL,
        row INTEGER NOT NULL,
        PRIMARY KEY (partition_id, epoch, row)
    ) WITHOUT ROWID""",
    """CREATE TABLE tags (
        item_id INTEGER NOT NULL REFERENCES items (id),
        word TEXT NOT NULL,
        PRIMARY KEY (item_id, word)
    ) WITHOUT ROWID""",
    """CREATE TABLE backgrounds (
        partition_id INTEGER NOT NULL PRIMARY KEY REFERENCES partitions (id),
        seen INTEGER NOT NULL,
        sample BLOB NOT NULL
    )""",
)

# 'porter' makes 'dogs' find 'dog'; unicode61 folds case and accents.
FULL_TEXT = (
    """CREATE VIRTUAL TABLE item_words USING fts5 (
        name, tags, words, tokenize = 'porter unicode61 remove_diacritics 2'
    )""",
    """CREATE VIRTUAL TABLE passages USING fts5 (
        text, content = 'segments', content_rowid = 'id',
        tokenize = 'porter unicode61 remove_diacritics 2'
    )""",
    """CREATE TRIGGER passages_put AFTER INSERT ON segments WHEN new.text <> '' BEGIN
        INSERT INTO passages (rowid, text) VALUES (new.id, new.text);
    END""",
    """CREATE TRIGGER passages_drop AFTER DELETE ON segments WHEN old.text <> '' BEGIN
        INSERT INTO passages (passages, rowid, text) VALUES ('delete', old.id, old.text);
    END""",
)


def upgrade() -> None:
    for statement in (*TABLES, *FULL_TEXT):
        op.execute(statement)
