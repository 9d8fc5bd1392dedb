"""A hub snapshot in the layout of transformers (CLIP, SigLIP 2, InternVL): nothing to rename.

Its safetensors are copied as they are; only an old `pytorch_model.bin` comes through here.
"""

from __future__ import annotations

from collections.abc import Mapping

from unisearch.errors import WeightsError
from unisearch.models.recipes.base import Converted, State

#: Constant buffers that older transformers stored; today's models make them themselves.
BUFFERS = (".position_ids",)


def convert(files: Mapping[str, State]) -> Converted:
    """All shards in one state; raises WeightsError for a key that two of them hold."""
    joined: State = {}
    for file, state in files.items():
        if twice := sorted(joined.keys() & state.keys()):
            raise WeightsError(f"{file}: holds '{twice[0]}', which another file holds too")
        joined.update(state)
    return Converted({key: one for key, one in joined.items() if not key.endswith(BUFFERS)})
