"""What the networks for flat data share."""

from edudiff.nn.net import Net


class FlatNet(Net):
    """A network for flat data (B, D), D = `config["dimensions"]`."""

    def check_shape(self, x):
        """Raise a ValueError unless `x` is (B, D)."""
        if x.ndim != 2 or x.shape[1] != self.config["dimensions"]:
            raise ValueError(
                f"x has shape {x.shape}, expected (B, {self.config['dimensions']}); pictures need"
                " images.reshape(len(images), -1)"
            )

    def example(self, rng):
        """A small batch (x, alpha, sigma), for `edudiff.nn.check_gradients`."""
        x = rng.standard_normal((4, self.config["dimensions"]))  # (B, D)
        return x, rng.uniform(0.2, 0.9, 4), rng.uniform(0.2, 0.9, 4)  # (B, D), (B,), (B,)
