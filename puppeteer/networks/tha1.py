"""The published networks of "Talking Head Anime from a Single Image": face morpher, face rotator, combiner.

Architecture, key names and value conventions follow Pramook Khungurn's talking-head-anime demo repository
(github.com/pkhungurn/talking-head-anime-demo), so that its three weight files load unchanged. The face rotator unites
the colour-changing approach of Pumarola et al. 2018 ("GANimation") with the appearance flow of Zhou et al. 2016
("View Synthesis by Appearance Flow"); the combiner mixes and retouches both results.
"""

from __future__ import annotations

import pickle
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from zipfile import BadZipFile

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from puppeteer import weights
from puppeteer.errors import WeightsError
from puppeteer.networks.layers import Layers
from puppeteer.networks.tensors import Encoding

CHANNELS = (64, 128, 256, 512)  # at 256, 128, 64 and 32 px
RESIDUAL_BLOCKS = 6
DESCRIBED_AT = "https://github.com/pkhungurn/talking-head-anime-demo"


def conv7(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 7, padding=3, bias=False)


def conv7_block(inputs: int, outputs: int) -> nn.Sequential:
    return nn.Sequential(conv7(inputs, outputs), nn.InstanceNorm2d(outputs, affine=True), nn.ReLU(inplace=True))


def down_block(inputs: int, outputs: int) -> nn.Sequential:
    """Half the resolution."""
    conv = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(conv, nn.InstanceNorm2d(outputs, affine=True), nn.ReLU(inplace=True))


def up_block(inputs: int, outputs: int) -> nn.Sequential:
    """Twice the resolution."""
    conv = nn.ConvTranspose2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
    return nn.Sequential(conv, nn.InstanceNorm2d(outputs, affine=True), nn.ReLU(inplace=True))


def colour_head() -> nn.Sequential:
    return nn.Sequential(conv7(CHANNELS[0], 4), nn.Tanh())


def mask_head() -> nn.Sequential:
    return nn.Sequential(conv7(CHANNELS[0], 4), nn.Sigmoid())


def mix(mask: Tensor, where_one: Tensor, where_zero: Tensor) -> Tensor:
    return mask * where_one + (1 - mask) * where_zero


def with_planes(image: Tensor, values: Tensor) -> Tensor:
    """(B, C, H, W) and (B, K) to (B, C + K, H, W): every value becomes a constant plane."""
    planes = values[:, :, None, None].expand(-1, -1, image.shape[2], image.shape[3])
    return torch.cat([image, planes], 1)


class ResidualBlock(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm1 = nn.InstanceNorm2d(channels, affine=True)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.InstanceNorm2d(channels, affine=True)

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)), inplace=True)))
        return x + y


class EncoderDecoder(nn.Module):
    """(B, inputs, 256, 256) to (B, 64, 256, 256) through 512 channels at 32 px."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.module_list = nn.ModuleList(
            [
                conv7_block(inputs, CHANNELS[0]),
                *(down_block(a, b) for a, b in pairwise(CHANNELS)),
                *(ResidualBlock(CHANNELS[-1]) for _ in range(RESIDUAL_BLOCKS)),
                *(up_block(a, b) for a, b in pairwise(reversed(CHANNELS))),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        for module in self.module_list:
            x = module(x)
        return x


class UNet(nn.Module):
    """(B, inputs, 256, 256) to (B, 64, 256, 256), with a skip connection at each resolution above the coarsest."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.downward_modules = nn.ModuleList(
            [conv7_block(inputs, CHANNELS[0]), *(down_block(a, b) for a, b in pairwise(CHANNELS))]
        )
        self.bottleneck_modules = nn.ModuleList(ResidualBlock(CHANNELS[-1]) for _ in range(RESIDUAL_BLOCKS))
        self.upsampling_modules = nn.ModuleList(  # finest first, as the files have it
            [
                conv7_block(2 * CHANNELS[0], CHANNELS[0]),
                up_block(2 * CHANNELS[1], CHANNELS[0]),
                up_block(2 * CHANNELS[2], CHANNELS[1]),
                up_block(CHANNELS[3], CHANNELS[2]),
            ]
        )

    def forward(self, x: Tensor) -> Tensor:
        skips = []
        for module in self.downward_modules:
            x = module(x)
            skips.append(x)
        for module in self.bottleneck_modules:
            x = module(x)
        *finer, coarsest = self.upsampling_modules
        x = coarsest(x)
        for module, skip in zip(reversed(finer), reversed(skips[:-1]), strict=True):
            x = module(torch.cat([x, skip], 1))
        return x


class FaceMorpher(nn.Module):
    """Closes eyes and opens the mouth."""

    def __init__(self) -> None:
        super().__init__()
        self.main_body = EncoderDecoder(4 + 3)
        self.color_change = colour_head()
        self.alpha_mask = mask_head()

    def forward(self, image: Tensor, values: Tensor) -> Tensor:
        """image (B, 4, 256, 256), values (B, 3): left eye, right eye, mouth; returns an image."""
        y = self.main_body(with_planes(image, values))
        return mix(self.alpha_mask(y), image, self.color_change(y))


class TwoAlgoFaceRotator(nn.Module):
    """Turns the head twice: by painting (Pumarola) and by appearance flow (Zhou)."""

    def __init__(self) -> None:
        super().__init__()
        self.main_body = EncoderDecoder(4 + 3)
        self.pumarola_color_change = colour_head()
        self.pumarola_alpha_mask = mask_head()
        self.zhou_grid_change = conv7(CHANNELS[0], 2)

    def forward(self, image: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """image (B, 4, 256, 256), values (B, 3): neck_x, neck_y, neck_z; returns two images."""
        y = self.main_body(with_planes(image, values))
        pumarola = mix(self.pumarola_alpha_mask(y), image, self.pumarola_color_change(y))
        # In half precision neighbouring pixels of a 256 px grid would share a sampling position.
        grid = self.zhou_grid_change(y).float().permute(0, 2, 3, 1) + identity_grid(image)
        zhou = F.grid_sample(image.float(), grid, mode="bilinear", padding_mode="border", align_corners=True)
        return pumarola, zhou.to(image.dtype)


def identity_grid(image: Tensor) -> Tensor:
    """float32 (1, H, W, 2) of x, y in [-1, 1]; the extremes are the centres of the corner pixels."""
    height, width = image.shape[2:]
    y = torch.linspace(-1, 1, height, dtype=torch.float32, device=image.device)
    x = torch.linspace(-1, 1, width, dtype=torch.float32, device=image.device)
    return torch.stack([x[None].expand(height, -1), y[:, None].expand(-1, width)], -1)[None]


class Combiner(nn.Module):
    """Mixes the rotator's two results and retouches the mixture."""

    def __init__(self) -> None:
        super().__init__()
        self.main_body = UNet(4 + 4 + 3)
        self.combine_alpha_mask = mask_head()
        self.retouch_alpha_mask = mask_head()
        self.retouch_color_change = colour_head()

    def forward(self, pumarola: Tensor, zhou: Tensor, values: Tensor) -> Tensor:
        """Two images (B, 4, 256, 256), values (B, 3): neck_x, neck_y, neck_z; returns the final image."""
        y = self.main_body(with_planes(torch.cat([pumarola, zhou], 1), values))
        combined = mix(self.combine_alpha_mask(y), pumarola, zhou)
        return mix(self.retouch_alpha_mask(y), combined, self.retouch_color_change(y))


class Tha1(nn.Module):
    """All three networks as one family: the whole picture is painted anew at 256 px for every pose."""

    encoding: Encoding = "linear_straight"

    def __init__(self) -> None:
        super().__init__()
        self.face_morpher = FaceMorpher()
        self.two_algo_face_rotator = TwoAlgoFaceRotator()
        self.combiner = Combiner()

    def encode(self, image: Tensor) -> Tensor:
        return image

    def decode(self, features: Tensor, pose: Tensor) -> Layers:
        image, pose = features, pose.to(features.dtype)
        morphed = self.face_morpher(image, pose[:, :3])
        neck = torch.cat([pose[:, 4:6], pose[:, 3:4]], 1)  # z, x, y to x, y, z; no index tensor: it would be an upload
        pumarola, zhou = self.two_algo_face_rotator(morphed, neck)
        return Layers(paint=self.combiner(pumarola, zhou, neck))


FILES = ("face_morpher", "two_algo_face_rotator", "combiner")  # RECORDS "tha1/<name>", attributes of Tha1


def load() -> Tha1:
    """The three networks with the files of `weights/tha1/`. Raises WeightsError for a missing or wrong file."""
    with torch.device("meta"):  # no time spent on initial values that are about to be replaced
        networks = Tha1()
    for name in FILES:
        path = weights.FOLDER / weights.RECORDS[f"tha1/{name}"].file
        load_strictly(getattr(networks, name), read_state(path), path)
    return networks.eval().requires_grad_(False)


def read_state(path: Path) -> Mapping[str, Tensor]:
    """The state dict in a file, read without running any code that the file may hold."""
    if not path.is_file():
        names = ", ".join(f"{name}.pt" for name in FILES)
        raise WeightsError(
            f"{path.name} is missing in {path.parent}: download {names} as the README at {DESCRIBED_AT} describes "
            f"and put them into that folder, or choose another family (--family warp needs no files)"
        )
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, KeyError, ValueError, pickle.UnpicklingError, BadZipFile) as error:
        raise WeightsError(
            f"{path} cannot be read as a weight file (cut short, or not a PyTorch file): download it again as the "
            f"README at {DESCRIBED_AT} describes"
        ) from error
    if not isinstance(state, Mapping) or not all(isinstance(value, Tensor) for value in state.values()):
        raise WeightsError(
            f"{path} holds no state dict: put the {path.name} described in the README at {DESCRIBED_AT} there"
        )
    return state


def load_strictly(network: nn.Module, state: Mapping[str, Tensor], path: Path) -> None:
    """Every key with its shape or a WeightsError that names the first few differences."""
    wanted = {key: tuple(value.shape) for key, value in network.state_dict().items()}
    found = {key: tuple(value.shape) for key, value in state.items()}
    wrong = [f"{key} is missing" for key in wanted if key not in found]
    wrong += [f"{key} is not one of its keys" for key in found if key not in wanted]
    wrong += [
        f"{key} has shape {found[key]} instead of {shape}"
        for key, shape in wanted.items()
        if key in found and found[key] != shape
    ]
    if wrong:
        more = f" and {len(wrong) - 3} more differences" if len(wrong) > 3 else ""
        raise WeightsError(
            f"{path} does not fit ({'; '.join(wrong[:3])}{more}): put the {path.name} described in the README at "
            f"{DESCRIBED_AT} there"
        )
    network.load_state_dict({key: value.float() for key, value in state.items()}, strict=True, assign=True)
