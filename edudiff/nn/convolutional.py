"""What the networks for pictures share."""

from edudiff.nn.block import ACTIVATIONS
from edudiff.nn.layers import PADDINGS
from edudiff.nn.net import Net
from edudiff.nn.noise_level import EMBEDDINGS
from edudiff.nn.settings import even, positive, share, whole
from edudiff.nn.targets import TARGETS
from edudiff.support import checks
from edudiff.support.arrays import array_namespace


class ConvolutionalNet(Net):
    """A network for pictures (B, H, W, C), C = `config["image_channels"]`, of any size that its windows allow."""

    def see(self, x):
        """`x` with a channel of ones beside it, if the network has a border channel: zeros beyond the border differ."""
        xp = array_namespace(x)
        return xp.concatenate([x, xp.ones_like(x[..., :1])], axis=3) if self.config["border_channel"] else x

    def check_shape(self, x):
        """Raise a ValueError unless `x` is a batch of pictures with the right channels, and not too small to mirror."""
        if x.ndim != 4 or x.shape[3] != self.config["image_channels"]:
            raise ValueError(f"x has shape {x.shape}, expected (B, H, W, {self.config['image_channels']})")
        if self.config["padding"] == "circular" and min(x.shape[1:3]) < 3:
            raise ValueError(f"x has shape {x.shape}: a wrapping 3x3 window needs pictures of at least 3 x 3 pixels")

    def example(self, rng):
        """A small batch (x, alpha, sigma), one side even and one odd, for `edudiff.nn.check_gradients`."""
        x = rng.standard_normal((2, 8, 7, self.config["image_channels"]))  # (B, H, W, C)
        return x, rng.uniform(0.2, 0.9, 2), rng.uniform(0.2, 0.9, 2)  # (B, H, W, C), (B,), (B,)


def checked(**config):
    """The settings that all networks for pictures have, checked: a dict in the same order, values made plain."""
    choices = {"padding": PADDINGS, "embedding": EMBEDDINGS, "target": TARGETS, "activation": ACTIVATIONS}
    for name, among in choices.items():
        checks.one_of(config[name], among, name)
    config["image_channels"] = whole(config["image_channels"], "image_channels")
    config["border_channel"] = bool(config["border_channel"])
    config["sigma_data"] = positive(config["sigma_data"], "sigma_data")
    config["embedding_size"] = even(config["embedding_size"], "embedding_size")
    config["dropout"] = share(config["dropout"], "dropout")
    config["classes"] = None if config["classes"] is None else whole(config["classes"], "classes")
    return config
