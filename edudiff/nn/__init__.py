"""The trained denoisers: layers with backprop by hand, networks made of them, Adam, training and its checkpoints."""

from edudiff.nn import checkpoint, layers
from edudiff.nn.adam import Adam, learning_rate
from edudiff.nn.checking import check_gradients, receptive_field
from edudiff.nn.conditional import Conditional
from edudiff.nn.config import NetConfig
from edudiff.nn.flat import Bottleneck, Linear, Polynomial
from edudiff.nn.loss import denoising_loss
from edudiff.nn.mlp import MLP
from edudiff.nn.net import Net
from edudiff.nn.resnet import ResNet
from edudiff.nn.training import State, train
from edudiff.nn.unet import UNet

__all__ = [
    "MLP",
    "Adam",
    "Bottleneck",
    "Conditional",
    "Linear",
    "Net",
    "NetConfig",
    "Polynomial",
    "ResNet",
    "State",
    "UNet",
    "check_gradients",
    "checkpoint",
    "denoising_loss",
    "layers",
    "learning_rate",
    "receptive_field",
    "train",
]
