"""The trained denoiser: layers with backprop by hand, the network, Adam, the training loop and its checkpoints."""

from edudiff.nn import checkpoint, layers
from edudiff.nn.adam import Adam, learning_rate
from edudiff.nn.resnet import ResNet
from edudiff.nn.train import State, denoising_loss, train

__all__ = ["Adam", "ResNet", "State", "checkpoint", "denoising_loss", "layers", "learning_rate", "train"]
