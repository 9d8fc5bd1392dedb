"""The convolutional parts of MS-CLIP-S, which pictures alone have. All are named as officially."""

from __future__ import annotations

from itertools import pairwise

from torch import Tensor, nn
from torch.nn.functional import relu

from unisearch.spaces.towers.msclip.sizes import Sizes

#: Of the batch norms inside the bottlenecks of the side branch; all others have torch's 1e-5.
BOTTLENECK_EPS = 1e-6


def conv(inputs: int, outputs: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """Without bias, padded so that only the stride shrinks the map."""
    return nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)


class Stem(nn.Module):
    """Early specialisation: the first layer of pictures is convolutional; (n, 3, s, s) to a grid.

    Returns (n, width, grid, grid).
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__()
        first, *_, last = sizes.stem
        self.conv1 = conv(3, first, 3, 2)
        self.bn1 = nn.BatchNorm2d(first)
        steps = zip(pairwise(sizes.stem), sizes.strides[1:], strict=True)
        self.resnet_stage = nn.ModuleDict(
            {f"conv_{i}": Residual(*step, stride) for i, (step, stride) in enumerate(steps)}
        )
        self.last_conv = conv(last, sizes.width, 1)

    def forward(self, pixels: Tensor) -> Tensor:
        x = relu(self.bn1(self.conv1(pixels)), inplace=True)
        for stage in self.resnet_stage.values():
            x = stage(x)
        grid: Tensor = self.last_conv(x)
        return grid


class Residual(nn.Module):
    """One 3 x 3 convolution beside a 1 x 1 shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv1 = conv(inputs, outputs, 3, stride)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.downsample = nn.Sequential(conv(inputs, outputs, 1, stride), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.bn1(self.conv1(x)) + self.downsample(x), inplace=True)


class BranchStart(nn.Module):
    """The first stage of the side branch: one convolution of the picture, half its side."""

    def __init__(self, outputs: int, stride: int) -> None:
        super().__init__()
        self.conv = conv(3, outputs, 3, stride)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        return relu(self.bn(self.conv(x)), inplace=True)


class BranchStage(nn.Module):
    """A further stage of the side branch: one bottleneck."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.resnet_stage = nn.ModuleDict({"conv_0": Bottleneck(inputs, outputs, stride)})

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.resnet_stage["conv_0"](x)
        return found


class Bottleneck(nn.Module):
    """1 x 1, 3 x 3 with the stride, 1 x 1 convolutions beside a 1 x 1 shortcut."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        middle = outputs // 2
        self.conv1 = conv(inputs, middle, 1)
        self.bn1 = nn.BatchNorm2d(middle, eps=BOTTLENECK_EPS)
        self.conv2 = conv(middle, middle, 3, stride)
        self.bn2 = nn.BatchNorm2d(middle, eps=BOTTLENECK_EPS)
        self.conv3 = conv(middle, outputs, 1)
        self.bn3 = nn.BatchNorm2d(outputs, eps=BOTTLENECK_EPS)
        self.residual_conv = conv(inputs, outputs, 1, stride)
        self.residual_bn = nn.BatchNorm2d(outputs, eps=BOTTLENECK_EPS)

    def forward(self, x: Tensor) -> Tensor:
        inner = relu(self.bn1(self.conv1(x)), inplace=True)
        inner = relu(self.bn2(self.conv2(inner)), inplace=True)
        beside = self.residual_bn(self.residual_conv(x))
        return relu(self.bn3(self.conv3(inner)) + beside, inplace=True)


def branch(sizes: Sizes) -> nn.ModuleList:
    """The stages of the side branch, each a map of the one before; the first one of the picture."""
    steps = zip(pairwise(sizes.branch), sizes.strides[1:], strict=True)
    later = [BranchStage(*step, stride) for step, stride in steps]
    return nn.ModuleList([BranchStart(sizes.branch[0], sizes.strides[0]), *later])


class Depthwise(nn.Module):
    """One filter for each channel, then a batch norm."""

    def __init__(self, channels: int, kernel: int, stride: int, padding: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(
            channels, channels, kernel, stride, padding, groups=channels, bias=False
        )
        self.bn = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.bn(self.conv(x))
        return found


class Pointwise(nn.Module):
    """A 1 x 1 convolution, one name deeper than it would have to be."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conv = conv(inputs, outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        found: Tensor = self.conv(x)
        return found
