"""A hub snapshot in the layout of transformers (CLIP, SigLIP 2, InternVL): nothing to rename."""

from __future__ import annotations

from collections.abc import Mapping

from unisearch.errors import WeightsError
from unisearch.models.recipes.base import Converted, State

#: Constant buffers that older transformers stored; today's CLIP makes them itself.
BUFFERS = ("text_model.embeddings.position_ids", "vision_model.embeddings.position_ids")


def convert(files: Mapping[str, State]) -> Converted:
    """All shards in one state; raises WeightsError for a key that two of them hold."""
    joined: State = {}
    for file, state in files.items():
        if twice := sorted(joined.keys() & state.keys()):
            raise WeightsError(f"{file}: holds '{twice[0]}', which another file holds too")
        joined.update(state)
    return Converted({key: one for key, one in joined.items() if key not in BUFFERS})
