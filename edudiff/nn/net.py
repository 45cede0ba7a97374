"""What all trained denoisers share: a dict of parameters, and layers F whose answer becomes x0_hat.

An architecture is a class with three methods, and its settings a `NetConfig`: `initial` makes the parameters, `answer`
runs the layers, `answer_backward` runs them backwards.
"""

import dataclasses
import inspect
import math
from importlib import import_module
from types import ModuleType
from typing import Any, TypeVar, get_type_hints

import numpy as np

from edudiff.nn.conditional import Conditional
from edudiff.nn.config import ConvConfig, FlatConfig, NetConfig
from edudiff.nn.initial import Initial
from edudiff.nn.noise_level import preconditioning
from edudiff.sampling.guidance import Guided, guided
from edudiff.support import checks, rounding
from edudiff.support.arrays import array_namespace, move
from edudiff.support.backends import choose
from edudiff.support.types import Array, Arrays, Rng

EVERY = (  # what the docstring of each class says of what every constructor takes
    "    rng: draws the initial weights.",
    "    dtype: of the parameters and of the computation, float32 or float64.",
    "    backend: None for the fastest, numpy, numba, or cupy for one that will be moved to a GPU.",
)
ANY_NET = TypeVar("ANY_NET", bound="Net")


class Net:
    """A denoiser `net(x, alpha, sigma) -> x0_hat` with parameters to train, a dict of arrays `net.parameters`.

    The constructor takes the settings of its class's `config`, and `rng`, `dtype`, `backend`. Raises ValueError or
    TypeError for settings out of range.
    """

    config: NetConfig
    Config: type[NetConfig]  # the class of `config`
    parameters: Arrays

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """The signature of the constructor, and what the docstring says of it, follow from the class of `config`."""
        super().__init_subclass__(**kwargs)
        cls.Config = get_type_hints(cls)["config"]
        own = inspect.signature(cls.Config).parameters
        every = [p for p in inspect.signature(Net.__init__).parameters.values() if p.kind is p.KEYWORD_ONLY]
        cls.__signature__ = inspect.Signature([*own.values(), *every])  # type: ignore[attr-defined]
        if "config" in inspect.get_annotations(cls) and cls.__doc__:
            help = {f.name: f.metadata["help"] for f in dataclasses.fields(cls.Config)}
            cls.__doc__ = "\n".join([cls.__doc__.rstrip(), "", *(f"    {n}: {help[n]}." for n in own), *EVERY])

    def __init__(
        self,
        *settings: Any,
        rng: np.random.Generator | Initial | None = None,
        dtype: Any = np.float32,
        backend: str | None = None,
        **rare: Any,
    ) -> None:
        self.config = self.Config(*settings, **rare)
        make = rng if isinstance(rng, Initial) else Initial(rng, dtype)  # a checkpoint's are there already
        self.initial(make)
        self._asked = backend
        self._hold(make.parameters)

    def initial(self, make: Initial) -> None:
        """Add all parameters, as they are before training, to `make`."""
        raise NotImplementedError(f"{type(self).__name__} has no method initial")

    def answer(self, x: Array, c_noise: Array, labels: Array | None = None, rng: Rng = None) -> tuple[Array, Any]:
        """F: what the layers make of the scaled batch `x`, the same shape as `x`, and the cache for `answer_backward`.

        `c_noise`: (B,). `labels`: (B,), the null class for none, or None if there are no classes. `rng`: for dropout.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method answer")

    def answer_backward(self, dout: Array, cache: Any, need_dx: bool = False) -> tuple[Arrays, Array | None]:
        """From the gradient in the answer: ({name: gradient} for every parameter, and the gradient in x or None)."""
        raise NotImplementedError(f"{type(self).__name__} has no method answer_backward")

    def check_batch(self, x: Array) -> ModuleType:
        """Raise an error that says what was expected, if the batch `x` does not fit; returns its array module."""
        return checks.batch(x)

    def example(self, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """A small batch (x, alpha, sigma) that fits the architecture, for `edudiff.nn.check_gradients`."""
        raise NotImplementedError(f"{type(self).__name__} has no method example: pass x, alpha and sigma")

    def __call__(self, x: Array, alpha: float | Array, sigma: float | Array) -> Array:
        """x0_hat, the shape and dtype of `x`. `alpha`, `sigma`: numbers, or one for each item, (B,)."""
        x0_hat, _ = self.forward(x, alpha, sigma)
        return x0_hat.astype(x.dtype, copy=False)

    def conditional(self, label: int | Array, guidance: float = 0.0) -> Conditional | Guided:
        """The denoiser of one class, or of one class for each item: see `Conditional`.

        `guidance`: how far to go beyond the class's own answer, away from the answer without a class: (1 + guidance) *
        x0_hat(class) - guidance * x0_hat(no class), the w of Ho & Salimans 2022; 0 does not ask for the second. That is
        `edudiff.sampling.guided` with the weight 1 + guidance.
        """
        of_class = Conditional(self, label)
        if not math.isfinite(guidance):
            raise ValueError(f"guidance is {guidance}, expected a finite number; 0 for none")
        return guided(of_class, self, 1 + guidance) if guidance else of_class

    @rounding.to_zero
    def forward(
        self,
        x: Array,
        alpha: float | Array,
        sigma: float | Array,
        labels: Array | None = None,
        rng: Rng = None,
    ) -> tuple[Array, Any]:
        """x0_hat, the shape of `x`, in the dtype of the parameters, and the cache for `backward`.

        `labels`: None, or the class of each item (B,), with the number of classes for none. `rng`: None, or one random
        generator for each item, for dropout in training.
        """
        alphas, sigmas = self._check(x, alpha, sigma)  # (B,) each
        return self.trusting(x, alphas, sigmas, self._labels(labels, x), rng)

    @rounding.to_zero
    def trusting(
        self, x: Array, alphas: Array, sigmas: Array, labels: Array | None = None, rng: Rng = None
    ) -> tuple[Array, Any]:
        """`forward` without its checks, each of which waits for a GPU: levels and labels (B,) are where `x` is."""
        dtype = self._any_parameter().dtype
        alphas, sigmas = alphas.astype(dtype, copy=False), sigmas.astype(dtype, copy=False)  # (B,) each
        *each, c_noise = preconditioning(alphas, sigmas, self.config.sigma_data, self.config.target)  # (B,) each
        c_skip, c_out, c_in = (c.reshape(-1, *[1] * (x.ndim - 1)) for c in each)  # (B, 1, ...) each
        x = x.astype(c_noise.dtype, copy=False)
        answer, cache = self.answer(c_in * x, c_noise, labels, rng)  # (B, ...)
        return c_skip * x + c_out * answer, (c_skip, c_out, c_in, cache)

    @rounding.to_zero
    def backward(self, dout: Array, cache: Any) -> Arrays:
        """Gradients of the loss in every parameter, a dict of arrays, from its gradient in x0_hat (B, ...)."""
        _, c_out, _, cache = cache
        gradients, _ = self.answer_backward(dout * c_out, cache)
        return {name: gradients[name] for name in self.parameters}

    @rounding.to_zero
    def input_gradient(self, dout: Array, cache: Any) -> Array:
        """Gradient of the loss in x (B, ...), from its gradient in x0_hat: 1. around the layers, 2. through them."""
        c_skip, c_out, c_in, cache = cache
        _, dx = self.answer_backward(dout * c_out, cache, need_dx=True)
        return c_skip * dout + c_in * dx

    @property
    def layers(self) -> ModuleType:
        """The module whose `conv`, `silu`, ... run: `edudiff.nn.layers`, or its compiled twin."""
        return import_module("edudiff.nn.layers.compiled" if self.backend == "numba" else "edudiff.nn.layers")

    @property
    def classes(self) -> int | None:
        """How many classes it can draw one of; None if it has none."""
        return getattr(self.config, "classes", None)

    def with_parameters(self: ANY_NET, parameters: Arrays) -> ANY_NET:
        """A network of the same architecture with these parameters, which are not copied."""
        other = object.__new__(type(self))
        other.__dict__ |= vars(self)
        other._hold(dict(parameters))
        return other

    def to(self: ANY_NET, like: Array) -> ANY_NET:
        """A copy of the network whose parameters live where the array `like` lives."""
        return self.with_parameters({name: move(value, like) for name, value in self.parameters.items()})

    def __repr__(self) -> str:
        count = sum(value.size for value in self.parameters.values())
        return f"{type(self).__name__}({self.config}, parameters={count:,})"

    def _hold(self, parameters: Arrays) -> None:
        """Take the parameters, and choose the code that runs where they live."""
        self.parameters, asked = parameters, self._asked
        self.backend = asked if asked == "cupy" else choose(asked, self._any_parameter())

    def _any_parameter(self) -> Array:
        return next(iter(self.parameters.values()))

    def _check(self, x: Array, alpha: float | Array, sigma: float | Array) -> tuple[Array, Array]:
        xp = self.check_batch(x)
        dtype = self._any_parameter().dtype
        choose(self.backend, x, self._any_parameter())  # raises if they are not in one place
        if np.ndim(alpha) == 0 and np.ndim(sigma) == 0:
            alpha, sigma = checks.levels(alpha, sigma)
        else:
            for value, name in ((alpha, "alpha"), (sigma, "sigma")):
                checks.per_image(value, x, name)  # raises for a wrong shape, NaN, or a negative level
        alphas, sigmas = (xp.broadcast_to(xp.asarray(v, dtype=dtype), len(x)) for v in (alpha, sigma))  # (B,) each
        return alphas, sigmas

    def _labels(self, labels: Array | None, x: Array) -> Array | None:
        """The class of each item as integers (B,) where `x` lives, the null class if there are none; None if unused."""
        if self.classes is None:
            if labels is not None:
                raise ValueError(f"labels were given, but this {type(self).__name__} has no classes; make it with some")
            return None
        if labels is None:
            labels = np.full(len(x), self.classes)  # (B,)
        return move(checks.labels(labels, self.classes + 1, len(x)), x)


class FlatNet(Net):
    """A network for flat data (B, D), D = `config.dimensions`."""

    config: FlatConfig

    def check_batch(self, x: Array) -> ModuleType:
        """Raise a ValueError unless `x` is (B, D)."""
        xp = checks.batch(x)
        if x.ndim != 2 or x.shape[1] != self.config.dimensions:
            raise ValueError(
                f"x has shape {x.shape}, expected (B, {self.config.dimensions}); images need"
                " images.reshape(len(images), -1)"
            )
        return xp

    def example(self, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """A small batch (x, alpha, sigma), for `edudiff.nn.check_gradients`."""
        x = rng.standard_normal((4, self.config.dimensions))  # (B, D)
        return x, rng.uniform(0.2, 0.9, 4), rng.uniform(0.2, 0.9, 4)  # (B, D), (B,), (B,)


class ConvolutionalNet(Net):
    """A network for images (B, H, W, C), C = `config.image_channels`, of any size that its windows allow."""

    config: ConvConfig

    @property
    def receptive_field(self) -> float:
        """Side of the square of pixels that one pixel of the answer depends on; infinite if on all."""
        raise NotImplementedError(f"{type(self).__name__} does not say it; measure it with edudiff.nn.receptive_field")

    def see(self, x: Array) -> Array:
        """`x` with a channel of ones beside it, if the network has a padding channel: zero padding shows in it."""
        xp = array_namespace(x)
        return xp.concatenate([x, xp.ones_like(x[..., :1])], axis=3) if self.config.padding_channel else x

    def check_batch(self, x: Array) -> ModuleType:
        """Raise a ValueError unless `x` is a batch of images with the right channels, and not too small to wrap."""
        xp = checks.image_batch(x, self.config.image_channels)
        if self.config.padding == "circular" and min(x.shape[1:3]) < 3:
            raise ValueError(f"x has shape {x.shape}: a wrapping 3x3 window needs images of at least 3 x 3 pixels")
        return xp

    def example(self, rng: np.random.Generator) -> tuple[Array, Array, Array]:
        """A small batch (x, alpha, sigma), one side even and one odd, for `edudiff.nn.check_gradients`."""
        x = rng.standard_normal((2, 8, 7, self.config.image_channels))  # (B, H, W, C)
        return x, rng.uniform(0.2, 0.9, 2), rng.uniform(0.2, 0.9, 2)  # (B, H, W, C), (B,), (B,)

    def __repr__(self) -> str:
        return f"{super().__repr__()[:-1]}, receptive_field={self.receptive_field})"
