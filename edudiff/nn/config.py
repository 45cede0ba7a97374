"""The settings of the networks, each written once: constructor, docstring, checkpoint and repr follow from here."""

import dataclasses
from dataclasses import KW_ONLY, MISSING, dataclass

from edudiff.nn.layers import PADDINGS
from edudiff.nn.noise_level import EMBEDDINGS, TARGETS
from edudiff.support import checks
from edudiff.support.settings import Settings, setting

ACTIVATIONS = ("silu", "gelu", "relu")


def even(value: int, name: str) -> int:
    """An even number of values, half sines and half cosines. Raises TypeError or ValueError for anything else."""
    if checks.integer(value, name, least=2) % 2:
        raise ValueError(f"{name} is {value!r}, expected an even number: half sines, half cosines")
    return int(value)


def data_size(value: float, name: str) -> float:
    """A root mean square whose square, and the inverse of it, single precision holds with room to spare."""
    if not 1e-9 <= checks.positive(value, name) <= 1e9:
        raise ValueError(f"{name} is {value!r}, expected 1e-9 to 1e9: scale the data, best to about 0.5")
    return float(value)


@dataclass(frozen=True, repr=False, kw_only=True)
class NetConfig(Settings):
    """What every network can be told.

    Raises TypeError or ValueError that names a setting out of range. Equal if all settings are; `dataclasses.asdict`
    makes it a dict for JSON, and its class takes that dict back.
    """

    target: str = setting("edm", f"what the layers answer, {', '.join(TARGETS)}: see `noise_level`", choices=TARGETS)
    sigma_data: float = setting(0.5, "root mean square of the data, for target edm", check=data_size)

    def __str__(self) -> str:
        """As in a call: what may be said without its name, and of the rest what is not the default."""
        first = sorted(dataclasses.fields(self), key=lambda f: bool(f.kw_only))
        said = [f.name for f in first if not f.kw_only or getattr(self, f.name) != f.default]
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in said)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self})"


@dataclass(frozen=True, repr=False, kw_only=True)
class ConditionedConfig(NetConfig):
    """What a network can be told whose every block hears the noise level, and the class if there are any."""

    classes: int | None = setting(None, "how many classes it can draw one of, None for none", least=1)
    embedding: str = setting("log_snr", f"of the noise level, {', '.join(EMBEDDINGS)}", choices=EMBEDDINGS)
    embedding_size: int = setting(64, "values of the noise-level embedding, half sines, half cosines", check=even)
    activation: str = setting("silu", ", ".join(ACTIVATIONS), choices=ACTIVATIONS)
    dropout: float = setting(0.0, "share of the values left out in training", check=checks.share)


@dataclass(frozen=True, repr=False)
class ConvConfig(ConditionedConfig):
    """What every network for images can be told; each architecture says what its `channels` and `depth` are."""

    channels: int | tuple[int, ...] = setting(MISSING, "how wide it is")
    depth: int = setting(MISSING, "how many blocks", least=1)
    padding: str = setting("zero", f"what is beyond the border, {', '.join(PADDINGS)}", choices=PADDINGS)
    _: KW_ONLY
    image_channels: int = setting(1, "1 for gray, 3 for color", least=1)
    padding_channel: bool = setting(
        True,
        "whether a channel of ones beside the image shows where zero padding begins: in noise, zeros are nothing"
        " special, and without it the network sees the border one pixel later than an ELS window of its size",
    )
    attention: tuple[int, ...] = setting(
        (), "after which residual blocks, of a UNet at which scales, every pixel looks at all others", least=0
    )
    heads: int = setting(1, "of attention", least=1)
    groups: int = setting(0, "of group normalization, 0 for none", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        widths = self.channels if isinstance(self.channels, tuple) else (self.channels,)
        for name in ("groups", "heads"):
            parts = getattr(self, name)
            for channels in widths:
                if parts and channels % parts:
                    raise ValueError(f"{name} is {parts}, expected a divisor of {channels}, the number of channels")


@dataclass(frozen=True, repr=False)
class FlatConfig(NetConfig):
    """What every network for flat data can be told."""

    dimensions: int = setting(MISSING, "values of a point, D", least=1)
