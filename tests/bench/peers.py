"""The generators of two peers as far as speed goes: their published layers, with random weights.

Wav2Lip: K. R. Prajwal et al., "A Lip Sync Expert Is All You Need for Speech to Lip Generation In
the Wild", ACM Multimedia 2020; 96² pixels. LivePortrait: J. Guo et al., "LivePortrait: Efficient
Portrait Animation with Stitching and Retargeting Control", 2024; from features of a 256² photo,
which are found once for each photo, to 512² pixels. What is here is what runs for every frame.
Sizes of layers are those of the released models; `tests/unit/test_bench_peers.py` compares the
numbers of weights.
"""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional


class _Convolution(nn.Module):
    """Convolution, batch norm, ReLU; with a link around it where `link`."""

    def __init__(
        self, convolution: nn.Conv2d | nn.ConvTranspose2d, channels: int, link: bool = False
    ):
        super().__init__()
        self.layers = nn.Sequential(convolution, nn.BatchNorm2d(channels))
        self.link = link

    def forward(self, features: Tensor) -> Tensor:
        changed = self.layers(features)
        return functional.relu(changed + features if self.link else changed)


def _stage(first: nn.Conv2d | nn.ConvTranspose2d, linked: int) -> nn.Sequential:
    """A convolution and some with links around them."""
    width = first.out_channels
    more = [_Convolution(nn.Conv2d(width, width, 3, 1, 1), width, True) for _ in range(linked)]
    return nn.Sequential(_Convolution(first, width), *more)


class Wav2Lip(nn.Module):
    """Lower half of a face painted from its upper half, a reference and 0.2 s of sound."""

    inputs = ((1, 80, 16), (6, 96, 96))
    """Shapes of sound and faces."""
    side = 96

    def __init__(self) -> None:
        super().__init__()
        conv, grow = nn.Conv2d, nn.ConvTranspose2d
        self.face = nn.ModuleList(
            [
                _stage(conv(6, 16, 7, 1, 3), 0),
                _stage(conv(16, 32, 3, 2, 1), 2),
                _stage(conv(32, 64, 3, 2, 1), 3),
                _stage(conv(64, 128, 3, 2, 1), 2),
                _stage(conv(128, 256, 3, 2, 1), 2),
                _stage(conv(256, 512, 3, 2, 1), 1),
                nn.Sequential(_stage(conv(512, 512, 3), 0), _stage(conv(512, 512, 1), 0)),
            ]
        )
        self.sound = nn.Sequential(
            _stage(conv(1, 32, 3, 1, 1), 2),
            _stage(conv(32, 64, 3, (3, 1), 1), 2),
            _stage(conv(64, 128, 3, 3, 1), 2),
            _stage(conv(128, 256, 3, (3, 2), 1), 1),
            _stage(conv(256, 512, 3), 0),
            _stage(conv(512, 512, 1), 0),
        )
        self.paint = nn.ModuleList(
            [
                _stage(conv(512, 512, 1), 0),
                _stage(grow(1024, 512, 3), 1),
                _stage(grow(1024, 512, 3, 2, 1, 1), 2),
                _stage(grow(768, 384, 3, 2, 1, 1), 2),
                _stage(grow(512, 256, 3, 2, 1, 1), 2),
                _stage(grow(320, 128, 3, 2, 1, 1), 2),
                _stage(grow(160, 64, 3, 2, 1, 1), 2),
            ]
        )
        self.image = nn.Sequential(_stage(conv(80, 32, 3, 1, 1), 0), conv(32, 3, 1), nn.Sigmoid())

    def forward(self, sound: Tensor, faces: Tensor) -> Tensor:
        """(B, 1, 80, 16) and (B, 6, 96, 96) → (B, 3, 96, 96)."""
        seen = []
        for stage in self.face:
            faces = stage(faces)
            seen.append(faces)
        features = self.sound(sound)
        for stage in self.paint:
            features = torch.cat([stage(features), seen.pop()], dim=1)
        return self.image(features)


def _cube(into: int, out: int) -> nn.Sequential:
    return nn.Sequential(nn.Conv3d(into, out, 3, padding=1), nn.BatchNorm3d(out), nn.ReLU())


class _Warping(nn.Module):
    """LivePortrait's W: key points to a flow through a volume of features, moved by it."""

    POINTS, DEPTH, VOLUME = 21, 16, 32

    def __init__(self) -> None:
        super().__init__()
        maps = self.POINTS + 1
        into = maps * 5
        down, up = (into, 64, 128, 256, 512, 1024), (1024, 512, 256, 128, 64, 32)
        self.compress = nn.Sequential(nn.Conv3d(self.VOLUME, 4, 1), nn.BatchNorm3d(4), nn.ReLU())
        self.down = nn.ModuleList(_cube(a, b) for a, b in pairwise(down))
        self.up = nn.ModuleList(
            _cube(a * (1 if index == 0 else 2), b) for index, (a, b) in enumerate(pairwise(up))
        )
        self.last = _cube(32 + into, 32 + into)
        self.mask = nn.Conv3d(32 + into, maps, 7, padding=3)
        self.hidden = nn.Conv2d((32 + into) * self.DEPTH, 1, 7, padding=3)
        self.third = nn.Sequential(
            nn.Conv2d(512, 256, 3, padding=1), nn.BatchNorm2d(256), nn.LeakyReLU()
        )
        self.fourth = nn.Conv2d(256, 256, 1)

    def forward(self, volume: Tensor, points: Tensor, source: Tensor) -> Tensor:
        """(B, 32, 16, S, S) and twice (B, 21, 3) → (B, 256, S, S)."""
        batch, _, depth, height, width = volume.shape
        axes = [torch.linspace(-1, 1, n, device=volume.device) for n in (depth, height, width)]
        z, y, x = torch.meshgrid(*axes, indexing="ij")
        grid = torch.stack([x, y, z], -1).to(volume.dtype)[None, None].expand(batch, -1, *[-1] * 4)
        shift = (source - points)[:, :, None, None, None]
        flows = torch.cat([grid, grid + shift], dim=1)
        small = self.compress(volume)
        copies = small[:, None].expand(-1, self.POINTS + 1, *[-1] * 4).flatten(0, 1)
        moved = functional.grid_sample(copies, flows.flatten(0, 1), align_corners=False)
        near = [
            torch.exp(-50 * ((grid - place[:, :, None, None, None]) ** 2).sum(-1))
            for place in (points, source)
        ]
        heat = functional.pad(near[0] - near[1], (0, 0, 0, 0, 0, 0, 1, 0))
        seen = [torch.cat([heat[:, :, None], moved.unflatten(0, flows.shape[:2])], 2).flatten(1, 2)]
        for block in self.down:
            seen.append(functional.avg_pool3d(block(seen[-1]), (1, 2, 2)))
        features = seen.pop()
        for block in self.up:
            grown = block(functional.interpolate(features, scale_factor=(1, 2, 2)))
            features = torch.cat([grown, seen.pop()], dim=1)
        features = self.last(features)
        share = self.mask(features).softmax(dim=1)
        flow = (flows * share[..., None]).sum(dim=1)
        shown = torch.sigmoid(self.hidden(features.flatten(1, 2)))
        warped = functional.grid_sample(volume, flow, align_corners=False).flatten(1, 2)
        return self.fourth(self.third(warped)) * shown


class _Spade(nn.Module):
    """Instance norm whose gain and shift are pictures, made of the features that are painted."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.shared = nn.Sequential(nn.Conv2d(256, 128, 3, padding=1), nn.ReLU())
        self.gain, self.shift = (nn.Conv2d(128, channels, 3, padding=1) for _ in range(2))

    def forward(self, features: Tensor, painted: Tensor) -> Tensor:
        shared = self.shared(functional.interpolate(painted, size=features.shape[2:]))
        return functional.instance_norm(features) * (1 + self.gain(shared)) + self.shift(shared)


class _SpadeBlock(nn.Module):
    def __init__(self, into: int, out: int) -> None:
        super().__init__()
        middle = min(into, out)
        self.norms = nn.ModuleList([_Spade(into), _Spade(middle)])
        self.convolutions = nn.ModuleList(
            [nn.Conv2d(into, middle, 3, padding=1), nn.Conv2d(middle, out, 3, padding=1)]
        )
        self.around = None if into == out else nn.Conv2d(into, out, 1, bias=False)
        self.norm_around = None if into == out else _Spade(into)

    def forward(self, features: Tensor, painted: Tensor) -> Tensor:
        changed = features
        for norm, convolution in zip(self.norms, self.convolutions, strict=True):
            changed = convolution(functional.leaky_relu(norm(changed, painted), 0.2))
        if self.around is not None and self.norm_around is not None:
            features = self.around(self.norm_around(features, painted))
        return features + changed


class LivePortrait(nn.Module):
    """Warping module and generator (W and G), which run for every frame."""

    inputs = ((_Warping.VOLUME, _Warping.DEPTH, 64, 64), (_Warping.POINTS, 3), (_Warping.POINTS, 3))
    """Shapes of the volume of features and of the key points, driving and source."""
    side = 512

    def __init__(self) -> None:
        super().__init__()
        self.warp = _Warping()
        self.paint = nn.ModuleDict(
            {
                "start": nn.Conv2d(256, 512, 3, padding=1),
                "middle": nn.ModuleList(_SpadeBlock(512, 512) for _ in range(6)),
                "up": nn.ModuleList([_SpadeBlock(512, 256), _SpadeBlock(256, 64)]),
                "image": nn.Conv2d(64, 12, 3, padding=1),
            }
        )

    def forward(self, volume: Tensor, points: Tensor, source: Tensor) -> Tensor:
        """(B, 32, 16, S, S) and twice (B, 21, 3) → (B, 3, 8S, 8S); S is 64."""
        painted = self.warp(volume, points, source)
        features = self.paint["start"](painted)
        for block in self.paint["middle"]:
            features = block(features, painted)
        for block in self.paint["up"]:
            features = block(functional.interpolate(features, scale_factor=2.0), painted)
        image = self.paint["image"](functional.leaky_relu(features, 0.2))
        return torch.sigmoid(functional.pixel_shuffle(image, 2))
