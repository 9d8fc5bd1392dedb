"""FreeBind (Molecule-Space): seven or fourteen projectors in one file; a fine-tuned audio tower.

Projectors come as FOLDER/DATA/best.pt each; their keys get FOLDER/DATA in front. The fine-tuned
tower (DrvtFT_audio_with_head.pt, elsewhere InternVL_IB_audio_with_head.pt) keeps its own keys:
ImageBind's audio tower below 'ib.', seven projectors below 'ib_head.projectors.'.
"""

from __future__ import annotations

from collections.abc import Mapping

from unisearch.models.recipes import imagebind
from unisearch.models.recipes.base import Converted, Shape, State, only, strict, stripped

PROJECTOR = "best.pt"
HEADS = 7
_BATCH_NORM: Mapping[str, Shape] = {
    **dict.fromkeys(("weight", "bias", "running_mean", "running_var"), (None,)),
    "num_batches_tracked": (),
}
_LINEAR: Mapping[str, Shape] = {"weight": (None, None), "bias": (None,)}
#: Of one projector: Reaction_Head_mini of the released code.
HEAD: Mapping[str, Shape] = {
    f"Head2.mlps.{place}.{name}": shape
    for place, layer in enumerate((_LINEAR, _BATCH_NORM, {}, _LINEAR, _BATCH_NORM))
    for name, shape in layer.items()
}


def convert(files: Mapping[str, State]) -> Converted:
    """14 tensors for each projector; raises WeightsError for a key that lacks or is too many."""
    if not all(file.endswith(PROJECTOR) for file in files):
        return Converted(_tuned(*only(files)))
    return Converted(
        {
            f"{file.removesuffix('/' + PROJECTOR)}.{key}": tensor
            for file, state in files.items()
            for key, tensor in strict(stripped(state, "module."), HEAD, file).items()
        }
    )


def _tuned(file: str, state: State) -> State:
    state = stripped(state, "module.")
    tower = [key.removeprefix("ib.") for key in state if key.startswith("ib.")]
    shapes = {f"ib.{key}": shape for key, shape in imagebind.shapes_of(tower, ["audio"]).items()}
    for place in range(HEADS):
        prefix = f"ib_head.projectors.{place}."
        shapes |= {prefix + key: shape for key, shape in HEAD.items()}
    return strict(state, shapes, file)
