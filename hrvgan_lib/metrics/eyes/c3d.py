"""C3D, the classifier of clips that both rulers look through (chapter 08, Eqs 16-17)."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn

# Block by block: the name of each 3x3x3 convolution and its channels at width 1, then a pooling layer.
PLAN: tuple[tuple[tuple[str, int], ...], ...] = (
    (("conv1a", 64),),
    (("conv2a", 128),),
    (("conv3a", 256), ("conv3b", 256)),
    (("conv4a", 512), ("conv4b", 512)),
    (("conv5a", 512), ("conv5b", 512)),
)
HIDDEN = 4096  # channels of fc6 and fc7 at width 1
LAYERS = ("pool5", "fc6", "fc7", "logits")


def pooled(size: int, stride: int) -> int:
    """Length of an axis after pooling by `stride` when the last, incomplete window counts."""
    return -(-size // stride)


class C3D(nn.Module):
    """Eight 3x3x3 convolutions, five pools, three linear layers: clips in, class logits out.

    At its defaults this is the network of Tran et al. (2015) with 101 classes: 78,409,573 parameters, input
    (batch, 3, 16, 112, 112), 8192 features after pool5. Layer names are those of the published weights.

    `width` multiplies every channel count but the classes'; `frames` and `size` fit fc6 to smaller clips
    (8x32x32 leaves 1x1x1 positions after pool5, since an incomplete pooling window still counts).
    `batch_norm` puts batch normalisation between convolution and ReLU. The published network has none: it was
    trained for days from a good start. A narrow judge trained from scratch in a minute needs it, so
    `trained_judge` switches it on and says so.

    Pooling rounds up (`ceil_mode`), as in the Caffe original: pool5 reads 7 rows as {0,1} {2,3} {4,5} {6}.
    The padded variant found in popular ports has the same shape and other windows.

    Raises ValueError when a dimension is not positive.
    """

    def __init__(
        self,
        n_classes: int = 101,
        width: float = 1.0,
        frames: int = 16,
        size: int = 112,
        batch_norm: bool = False,
        dropout: float = 0.5,
    ) -> None:
        super().__init__()
        if min(n_classes, frames, size) < 1 or width <= 0:
            raise ValueError(
                f"C3D needs positive sizes, got n_classes={n_classes}, width={width}, frames={frames}, size={size}"
            )
        self.n_classes, self.width, self.frames, self.size = n_classes, width, frames, size
        channels, time, side = 3, frames, size
        self.blocks = nn.ModuleDict()
        for number, convolutions in enumerate(PLAN, start=1):
            block = nn.Sequential()
            for name, full in convolutions:
                out = self._scaled(full)
                block.add_module(name, nn.Conv3d(channels, out, 3, padding=1, bias=not batch_norm))
                if batch_norm:
                    block.add_module(name.replace("conv", "norm"), nn.BatchNorm3d(out))
                block.add_module(name.replace("conv", "relu"), nn.ReLU(inplace=True))
                channels = out
            stride = (1, 2, 2) if number == 1 else (2, 2, 2)  # time is kept once: motion is read at full rate
            block.add_module(f"pool{number}", nn.MaxPool3d(stride, stride, ceil_mode=True))
            time, side = pooled(time, stride[0]), pooled(side, stride[1])
            self.blocks[f"block{number}"] = block
        self.pool5_shape = (channels, time, side, side)
        hidden = self._scaled(HIDDEN)
        self.fc6 = nn.Linear(channels * time * side * side, hidden)
        self.fc7 = nn.Linear(hidden, hidden)
        self.fc8 = nn.Linear(hidden, n_classes)
        self.dropout = nn.Dropout(dropout)
        self._initialise()

    def _scaled(self, channels: int) -> int:
        return max(4, round(channels * self.width))

    def _initialise(self) -> None:
        """He et al. (2015): keeps the scale of activations through a stack of ReLUs."""
        for module in self.modules():
            if isinstance(module, nn.Conv3d | nn.Linear):
                nn.init.kaiming_normal_(module.weight, nonlinearity="relu")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        nn.init.normal_(self.fc8.weight, std=0.01)

    def forward(self, clips: Tensor) -> Tensor:
        """(batch, 3, frames, size, size) in [-1, 1] -> logits (batch, n_classes)."""
        return self.layers(clips)["logits"]

    def features(self, clips: Tensor, layer: str = "fc6") -> Tensor:
        """What one layer says about each clip: (batch, 3, frames, size, size) -> (batch, D).

        `layer` is "pool5" (flattened in the order channel, time, row, column), "fc6" or "fc7" (after their
        ReLU) or "logits". Raises ValueError for another layer or for clips of another shape.
        """
        if layer not in LAYERS:
            raise ValueError(f"C3D has no layer {layer!r}; choose one of {', '.join(LAYERS)}")
        return self.layers(clips)[layer]

    def layers(self, clips: Tensor) -> dict[str, Tensor]:
        """All of `LAYERS` in one pass, each (batch, D)."""
        expected = (3, self.frames, self.size, self.size)
        if tuple(clips.shape[1:]) != expected:
            raise ValueError(
                f"C3D reads clips of {expected} (channel, time, height, width), got {tuple(clips.shape[1:])}"
            )
        for block in self.blocks.values():
            clips = block(clips)
        pool5 = clips.flatten(1)  # (batch, 512, 1, 4, 4) -> (batch, 8192) as published
        fc6 = torch.relu(self.fc6(pool5))  # (batch, 4096)
        fc7 = torch.relu(self.fc7(self.dropout(fc6)))  # (batch, 4096)
        return {"pool5": pool5, "fc6": fc6, "fc7": fc7, "logits": self.fc8(self.dropout(fc7))}

    def feature_width(self, layer: str = "fc6") -> int:
        """Number of features D that `features` gives at `layer`."""
        channels, time, height, width = self.pool5_shape
        widths: Sequence[int] = (
            channels * time * height * width,
            self.fc6.out_features,
            self.fc7.out_features,
            self.n_classes,
        )
        return widths[LAYERS.index(layer)]
