"""The trained denoisers: layers with backprop by hand, networks made of them, Adam, training and its checkpoints."""

from edudiff.nn import checkpoint, layers
from edudiff.nn.adam import Adam, learning_rate
from edudiff.nn.bottleneck import Bottleneck
from edudiff.nn.checking import check_gradients
from edudiff.nn.guidance import Conditional
from edudiff.nn.linear import Linear
from edudiff.nn.loss import denoising_loss
from edudiff.nn.mlp import MLP
from edudiff.nn.net import Net
from edudiff.nn.polynomial import Polynomial
from edudiff.nn.receptive import receptive_field
from edudiff.nn.resnet import ResNet
from edudiff.nn.state import State
from edudiff.nn.training import train
from edudiff.nn.unet import UNet

__all__ = [
    "MLP",
    "Adam",
    "Bottleneck",
    "Conditional",
    "Linear",
    "Net",
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
