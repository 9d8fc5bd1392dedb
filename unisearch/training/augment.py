"""What each view of a thing goes through before the network sees it. Settings by judgement."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

GREY = 0.5  # readers lay transparent pictures on it


def pictures(rgba: Tensor, side: int) -> Tensor:
    """uint8 (n, h, w, 4) to float (n, 3, side, side) in [-1, 1], each in its own pose and light."""
    n = len(rgba)
    pixels = rgba.permute(0, 3, 1, 2).float() / 255
    alpha = pixels[:, 3:]
    moved = _move(torch.cat([pixels[:, :3] * alpha, alpha], dim=1), side)
    ground = _grounds(n, side, rgba.device)
    laid = moved[:, :3] + (1 - moved[:, 3:]) * ground
    return _cut(_blur(_recolor(laid))).clamp(0, 1) * 2 - 1


def _move(layers: Tensor, side: int) -> Tensor:
    """Turned, scaled, shifted and mirrored; clear where nothing was."""
    n, device = len(layers), layers.device
    angle = _between(n, -0.2, 0.2, device) * (torch.rand(n, device=device) < 0.6)
    zoom = 1 / _between(n, 0.72, 1.12, device)
    aspect = _between(n, 0.9, 1.1, device)
    flip = torch.where(torch.rand(n, device=device) < 0.4, -1.0, 1.0)
    shift = _between(2 * n, -0.12, 0.12, device).view(n, 2)
    cos, sin = angle.cos() * zoom, angle.sin() * zoom
    first = torch.stack([cos * aspect * flip, -sin, shift[:, 0]], dim=1)
    second = torch.stack([sin * aspect * flip, cos, shift[:, 1]], dim=1)
    theta = torch.stack([first, second], dim=1)
    grid = F.affine_grid(theta, [n, 4, side, side], align_corners=False)
    return F.grid_sample(layers, grid, align_corners=False)


def _grounds(n: int, side: int, device: torch.device) -> Tensor:
    """White, neutral grey, one colour, a slope between two, or coarse noise."""
    kind = torch.rand(n, device=device)
    color = torch.rand(n, 3, 1, 1, device=device)
    other = torch.rand(n, 3, 1, 1, device=device)
    slope = torch.linspace(0, 1, side, device=device).view(1, 1, side, 1)
    noise = F.interpolate(torch.rand(n, 3, 4, 4, device=device), (side, side), mode="bilinear")
    plain = torch.where(_is(kind, 0.0, 0.35), 1.0, torch.where(_is(kind, 0.35, 0.62), GREY, color))
    mixed = torch.where(_is(kind, 0.8, 0.9), color + (other - color) * slope, plain)
    return torch.where(_is(kind, 0.9, 1.1), color + 0.6 * (noise - 0.5), mixed).clamp(0, 1)


def _recolor(x: Tensor) -> Tensor:
    n, device = len(x), x.device
    gain = _between(n, 0.85, 1.15, device).view(n, 1, 1, 1)
    tint = 1 + 0.03 * torch.randn(n, 3, 1, 1, device=device)
    contrast = _between(n, 0.85, 1.15, device).view(n, 1, 1, 1)
    saturation = _between(n, 0.8, 1.2, device).view(n, 1, 1, 1)
    saturation = saturation * (torch.rand(n, 1, 1, 1, device=device) > 0.04)
    middle = x.mean(dim=(1, 2, 3), keepdim=True)
    x = (x - middle) * contrast + middle
    grey = x.mean(dim=1, keepdim=True)
    return ((x - grey) * saturation + grey) * gain * tint


def _blur(x: Tensor) -> Tensor:
    """A fifth of the pictures loses detail, as small or squeezed files do."""
    coarse = F.interpolate(F.avg_pool2d(x, 2), x.shape[-2:], mode="bilinear")
    chosen = torch.rand(len(x), 1, 1, 1, device=x.device) < 0.2
    noise = torch.randn_like(x) * (0.05 * torch.rand(len(x), 1, 1, 1, device=x.device) ** 2)
    return torch.where(chosen, coarse, x) + noise


def _cut(x: Tensor) -> Tensor:
    """A quarter loses a square."""
    n, side, device = len(x), x.shape[-1], x.device
    at = torch.arange(side, device=device).float() / side
    corner, size = torch.rand(n, 2, device=device), 0.15 + 0.2 * torch.rand(n, 1, device=device)
    rows = (at > corner[:, :1]) & (at < corner[:, :1] + size)
    columns = (at > corner[:, 1:]) & (at < corner[:, 1:] + size)
    chosen = (torch.rand(n, device=device) < 0.25).view(n, 1, 1)
    hole = (rows[:, :, None] & columns[:, None, :] & chosen)[:, None]
    return torch.where(hole, torch.rand(n, 3, 1, 1, device=device), x)


def shapes(table: Tensor) -> Tensor:
    """float16 (n, p, 9) with signed normals to float32, turned, stretched, recoloured."""
    n, device = len(table), table.device
    table = table.float()
    turn = _turns(n, device)
    stretch = _between(3 * n, 0.86, 1.16, device).view(n, 1, 3)
    position = (table[..., :3] * stretch) @ turn
    position = position + 0.006 * torch.randn_like(position)
    low, high = position.amin(dim=1, keepdim=True), position.amax(dim=1, keepdim=True)
    position = position - (low + high) / 2
    position = position / position.norm(dim=-1).amax(dim=1).clamp(min=1e-6).view(n, 1, 1)
    normals = (F.normalize(table[..., 3:6] / stretch, dim=-1) @ turn).abs()
    normals = normals * (torch.rand(n, 1, 1, device=device) > 0.08)
    return torch.cat([position, normals, _shape_colors(table[..., 6:])], dim=-1)


def _turns(n: int, device: torch.device) -> Tensor:
    """About the upright axis by any angle, a little about another; some lie on their side."""
    yaw = _between(n, -3.1416, 3.1416, device)
    tilt = 0.1 * torch.randn(n, device=device)
    tilt = torch.where(torch.rand(n, device=device) < 0.1, tilt - 1.5708, tilt)
    zero, one = torch.zeros(n, device=device), torch.ones(n, device=device)
    about_y = torch.stack(
        [yaw.cos(), zero, yaw.sin(), zero, one, zero, -yaw.sin(), zero, yaw.cos()], dim=1
    )
    about_x = torch.stack(
        [one, zero, zero, zero, tilt.cos(), -tilt.sin(), zero, tilt.sin(), tilt.cos()], dim=1
    )
    return about_y.view(n, 3, 3) @ about_x.view(n, 3, 3)


def _shape_colors(colors: Tensor) -> Tensor:
    n, device = len(colors), colors.device
    gain = _between(n, 0.88, 1.12, device).view(n, 1, 1)
    tint = 0.02 * torch.randn(n, 1, 3, device=device)
    plain = torch.rand(n, 1, 1, device=device) < 0.1
    return torch.where(plain, GREY, (colors * gain + tint).clamp(0, 1))


def mels(table: Tensor) -> Tensor:
    """float16 (n, frames, bands) to float32: shifted, tilted, masked, with a floor of noise."""
    n, frames, bands = table.shape
    device = table.device
    x = table.float()
    shift = int(torch.randint(frames, ()))
    x = torch.roll(x, (shift, int(torch.randint(-3, 4, ()))), dims=(1, 2))
    tilt = 0.4 * torch.randn(n, 1, 1, device=device) * torch.linspace(-1, 1, bands, device=device)
    floor = torch.quantile(x[:, ::8].flatten(1), 0.35, dim=1).view(n, 1, 1)
    raised = torch.maximum(x, floor + 0.3 * torch.randn_like(x))
    x = torch.where(torch.rand(n, 1, 1, device=device) < 0.25, raised, x) + tilt
    x = x.masked_fill(_mask(n, frames, 30, device)[:, :, None], 0.0)
    x = x.masked_fill(_mask(n, bands, 10, device)[:, None, :], 0.0)
    return (x - x.mean(dim=(1, 2), keepdim=True)) / (x.std(dim=(1, 2), keepdim=True) + 1e-3)


def _mask(n: int, size: int, longest: int, device: torch.device) -> Tensor:
    """bool (n, size): one stretch each."""
    length = torch.rand(n, 1, device=device) * longest
    start = torch.rand(n, 1, device=device) * size
    at = torch.arange(size, device=device)
    return (at >= start) & (at < start + length)


def words(pieces: Tensor, share: float) -> Tensor:
    """int (n, w, p): a share of the pieces dropped, but never a whole word."""
    dropped = (torch.rand(pieces.shape, device=pieces.device) < share) & (pieces > 0)
    left = (pieces > 0) & ~dropped
    keep_all = ~left.any(dim=-1, keepdim=True)
    return torch.where(dropped & ~keep_all, torch.zeros_like(pieces), pieces)


def _between(n: int, low: float, high: float, device: torch.device) -> Tensor:
    return low + (high - low) * torch.rand(n, device=device)


def _is(kind: Tensor, low: float, high: float) -> Tensor:
    return ((kind >= low) & (kind < high)).view(-1, 1, 1, 1)
