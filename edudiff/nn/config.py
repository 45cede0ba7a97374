"""The settings of the networks, each written once: constructor, docstring, checkpoint and repr follow from here."""

import dataclasses
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field
from functools import partial
from typing import Any

from edudiff.nn.layers import PADDINGS
from edudiff.nn.noise_level import EMBEDDINGS, TARGETS
from edudiff.support import checks

ACTIVATIONS = ("silu", "gelu", "relu")


def setting(help: str, check: Callable[..., Any], default: Any = dataclasses.MISSING) -> Any:
    """A field of a `NetConfig`. `check(value, name=...)` returns the plain value, or raises an error that names it."""
    return field(default=default, metadata={"help": help, "check": check})


def with_default(config: Any, name: str, default: Any) -> Any:
    """The field `name` of another `config` with another default."""
    [old] = (f for f in dataclasses.fields(config) if f.name == name)
    return field(default=default, kw_only=old.kw_only, metadata=old.metadata)


def one_of(choices: tuple[str, ...]) -> Callable[..., Any]:
    """A check that a setting is one of these."""
    return partial(checks.one_of, choices=choices)


def _anything(value, name):
    return value


def _classes(value, name):
    return value if value is None else checks.integer(value, name)


def _even(value, name):
    if checks.integer(value, name, least=2) % 2:
        raise ValueError(f"{name} is {value!r}, expected an even number: half sines, half cosines")
    return int(value)


def _flag(value, name):
    return bool(value)


@dataclass(frozen=True, repr=False, kw_only=True)
class NetConfig:
    """What every network can be told.

    Raises TypeError or ValueError that names a setting out of range. Equal if all settings are; `dataclasses.asdict`
    makes it a dict for JSON, and its class takes that dict back.
    """

    target: str = setting(f"what the layers answer, {', '.join(TARGETS)}: see `noise_level`", one_of(TARGETS), "edm")
    sigma_data: float = setting("root mean square of the data, for target edm", checks.positive, 0.5)

    def __post_init__(self) -> None:
        for f in dataclasses.fields(self):
            object.__setattr__(self, f.name, f.metadata["check"](getattr(self, f.name), name=f.name))

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

    classes: int | None = setting("how many classes it can draw one of, None for none", _classes, None)
    embedding: str = setting(f"of the noise level, {', '.join(EMBEDDINGS)}", one_of(EMBEDDINGS), "log_snr")
    embedding_size: int = setting("values of the noise-level embedding, half sines, half cosines", _even, 64)
    activation: str = setting(", ".join(ACTIVATIONS), one_of(ACTIVATIONS), "silu")
    dropout: float = setting("share of the values left out in training", checks.share, 0.0)


@dataclass(frozen=True, repr=False)
class ConvConfig(ConditionedConfig):
    """What every network for images can be told; each architecture says what its `channels` and `depth` are."""

    channels: int | tuple[int, ...] = setting("how wide it is", _anything)
    depth: int = setting("how many blocks", checks.integer)
    padding: str = setting(f"what is beyond the border, {', '.join(PADDINGS)}", one_of(PADDINGS), "zero")
    _: KW_ONLY
    image_channels: int = setting("1 for gray, 3 for color", checks.integer, 1)
    padding_channel: bool = setting(
        "whether a channel of ones beside the image shows where zero padding begins: in noise, zeros are nothing"
        " special, and without it the network sees the border one pixel later than an ELS window of its size",
        _flag,
        True,
    )
    attention: tuple[int, ...] = setting(
        "after which residual blocks, of a UNet at which scales, every pixel looks at all others",
        partial(checks.integers, least=0),
        (),
    )
    heads: int = setting("of attention", checks.integer, 1)
    groups: int = setting("of group normalization, 0 for none", partial(checks.integer, least=0), 0)

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

    dimensions: int = setting("values of a point, D", checks.integer)
