"""Eyes other than the judge's: a network of frames or of videos from a local file (chapter 08, decision E2)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from hrvgan_lib.devices import pick_device
from hrvgan_lib.metrics.eyes.judge import weights_digest
from hrvgan_lib.metrics.eyes.weights import read_tensors

CAFFE_MEAN = (104.0, 117.0, 123.0)  # BGR, scale 0..255
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
KINETICS = (0.43216, 0.394666, 0.37645), (0.22803, 0.22145, 0.216989)
VIDEO_NETWORKS = ("r3d_18", "mc3_18", "r2plus1d_18")
FRAME_NETWORKS = ("squeezenet1_0", "squeezenet1_1", "resnet18", "resnet50")


class Extractor:
    """A feature extractor: clips through a torchvision network with weights from a local file; it names no classes.

    A frame network sees each frame by itself and answers with the average over frames, a video network sees the clip.
    The features are those before the last, classifying layer.
    """

    def __init__(
        self, architecture: str, path: str | Path, preparation: str = "torchvision", device: torch.device | None = None
    ) -> None:
        """architecture: a name of torchvision. path: a state dict or safetensors file. preparation: "torchvision", or
        "caffe" for weights that expect BGR on the scale 0..255 less (104, 117, 123).

        Raises ValueError for an unknown architecture or preparation, or weights that do not fit it.
        """
        if architecture not in VIDEO_NETWORKS + FRAME_NETWORKS:
            known = ", ".join(VIDEO_NETWORKS + FRAME_NETWORKS)
            raise ValueError(f"unknown network {architecture!r}: choose one of {known}")
        if preparation not in ("torchvision", "caffe"):
            raise ValueError(f"unknown preparation {preparation!r}: choose torchvision or caffe")
        from torchvision.models import get_model  # 2 s that only those pay who bring a network

        network = get_model(architecture, weights=None)
        try:
            network.load_state_dict(read_tensors(path))
        except RuntimeError as error:
            raise ValueError(
                f"{path}: not the weights of {architecture} ({' '.join(str(error).split())[:300]})"
            ) from None
        self.frames_only = architecture in FRAME_NETWORKS
        if architecture.startswith("squeezenet"):
            network.classifier = nn.Sequential(nn.AdaptiveAvgPool2d(1))
        else:
            network.fc = nn.Identity()
        self.network = network.to(device or pick_device()).eval().requires_grad_(False)
        self.preparation = preparation
        self.name = f"{architecture} ({Path(path).name})"
        self.digest = weights_digest(self.network)
        self.layers = ("pool",)
        self.identity = f"{self.digest} {architecture} {preparation}"

    @torch.inference_mode()
    def look(self, clips: Tensor, layer: str = "pool", batch: int = 16) -> tuple[np.ndarray, None]:
        """Features of clips (N, 3, T, H, W) in [-1, 1]: float32 (N, D), and None, since no class is named."""
        device = next(self.network.parameters()).device
        seen = []
        for part in clips.split(batch):
            part = part.to(device)
            if not self.frames_only:
                seen.append(self.network(self._videos(part)).float().cpu())  # (n, D)
                continue
            n, _, frames = part.shape[:3]
            flat = self.network(self._frames(part.transpose(1, 2).flatten(0, 1))).flatten(1)  # (n * T, D)
            seen.append(flat.unflatten(0, (n, frames)).mean(dim=1).float().cpu())  # (n, D)
        return torch.cat(seen).numpy(), None

    def _frames(self, frames: Tensor) -> Tensor:
        side = 227 if self.preparation == "caffe" else 224
        frames = F.interpolate(frames, size=(side, side), mode="bilinear", antialias=True)  # (n * T, 3, side, side)
        return self._standardise(frames, IMAGENET)

    def _videos(self, clips: Tensor) -> Tensor:
        flat = F.interpolate(clips.transpose(1, 2).flatten(0, 1), size=(112, 112), mode="bilinear", antialias=True)
        return self._standardise(flat, KINETICS).unflatten(0, clips.shape[:1] + clips.shape[2:3]).transpose(1, 2)

    def _standardise(self, frames: Tensor, numbers: tuple) -> Tensor:
        if self.preparation == "caffe":
            return 127.5 * (frames.flip(1) + 1) - frames.new_tensor(CAFFE_MEAN).view(3, 1, 1)
        mean, std = (frames.new_tensor(row).view(3, 1, 1) for row in numbers)
        return ((frames + 1) / 2 - mean) / std
