"""A search backend for an asset manager, over the HTTP of `unisearch serve`.

python asset_manager.py http://127.0.0.1:8765 "a barking dog"
"""

import sys

import unisearch
from unisearch.errors import UnisearchError


def find(url, words=None, like=None, kinds=None, page_size=24, token=None):
    """Cards for the manager's grid: words, an uploaded picture or sound (bytes), or both."""
    with unisearch.connect(url, token) as engine:
        hits = engine.search(*[t for t in (words, like) if t], into=kinds, k=page_size)
        return [card(engine, hit) for hit in hits if not hit.weak]


def card(engine, hit):
    """What the grid shows of one file."""
    facts = engine.item(hit.item)
    return {"id": hit.item, "path": facts["path"], "kind": hit.modality, "tags": facts["tags"],
            "seconds": hit.start_s, "thumbnail": engine.preview(hit.item)}  # fmt: skip


def is_current(url, token=None):
    """Whether new files are searchable already: for the light in the manager's corner."""
    with unisearch.connect(url, token) as engine:
        status = engine.status()
    return status["ready"] and not status["syncing"]


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("usage: asset_manager.py URL WORDS")
    try:
        for found in find(*sys.argv[1:]):
            print(found["kind"], found["path"])
    except UnisearchError as error:
        sys.exit(str(error))
