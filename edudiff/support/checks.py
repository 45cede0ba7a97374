"""The package's checks of what a caller passes in: each raises an error that says what came and what to do."""

import difflib
import math
import tokenize
import zipfile
import zlib
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any, TypeVar

import numpy as np

from edudiff.support.arrays import array_namespace, to_numpy
from edudiff.support.types import Array, Rng

T = TypeVar("T")

# What reading a damaged file of NumPy arrays can raise; RuntimeError: a flipped bit says that it is encrypted;
# SyntaxError and TokenError: NumPy reads a header as Python does, and Pythons differ in what they stumble over.
DAMAGED = (
    *(OSError, EOFError, KeyError, ValueError, MemoryError, RuntimeError, zipfile.BadZipFile, zlib.error),
    *(SyntaxError, tokenize.TokenError),
)
FARTHEST = 2  # from 0, of a pixel that should lie in [-1, 1]: filters that sharpen go a little beyond 1
MOST_CHANNELS = 4  # of what is taken for images with their channels first: gray, color, and transparency with either


def finite_floats(x: Array, name: str) -> ModuleType:
    """Check that `x` is a non-empty array of finite float32 or float64; returns its array module.

    Raises TypeError for another type, ValueError for an empty array, NaN or infinity.
    """
    xp = array_namespace(x)
    if x.dtype.kind != "f":
        raise TypeError(
            f"{name} has dtype {x.dtype}, expected floats in [-1, 1]; turn 8-bit pictures into floats with"
            " edudiff.data.from_uint8"
        )
    if x.dtype not in ("float32", "float64"):
        raise TypeError(f"{name} has dtype {x.dtype}, expected float32 or float64; use {name}.astype('float32')")
    if x.size == 0:
        raise ValueError(f"{name} is empty, its shape is {x.shape}; expected at least one picture or point")
    if not bool(xp.isfinite(x).all()):
        bad = int((~xp.isfinite(x)).sum())
        raise ValueError(f"{name} has {bad} NaN or infinite values of {x.size}; remove them first")
    return xp


def items(x: Array, name: str) -> ModuleType:
    """Check some images or points: finite floats, (N, H, W, C) or (N, D); returns their array module.

    Raises TypeError for integers, ValueError for a wrong rank, none at all, or NaN.
    """
    xp = finite_floats(x, name)
    if x.ndim not in (2, 4):
        raise ValueError(
            f"{name} has shape {x.shape}, expected (N, H, W, C) pictures or (N, D) points;"
            " gray pictures need a last axis of length 1: images[..., None]"
        )
    return xp


def training_set(images: Array, name: str = "images") -> ModuleType:
    """Check a training set: finite floats, (N, H, W, C) images or (N, D) points; returns its array module.

    Raises TypeError for integers, ValueError for a wrong rank, an empty set, NaN, or images beyond [-2, 2]: their
    pixels are not those of [-1, 1] that schedules are made for. Points may lie anywhere. Raises ValueError too for
    (N, C, H, W): images of a few rows that have many columns and channels are taken for some with channels first.
    """
    xp = items(images, name)
    channels_last(images, name)
    least, most = float(images.min()), float(images.max())
    if images.ndim == 4 and max(-least, most) > FARTHEST:
        raise ValueError(
            f"{name} holds values from {least:g} to {most:g}, expected pixels in [-1, 1];"
            " bring those of 0 to 255 there with images / 127.5 - 1"
        )
    return xp


def channels_last(images: Array, name: str) -> None:
    """Raise ValueError for images (N, C, H, W), as other libraries have them: nobody means 3 rows of 32 channels."""
    if images.ndim == 4 and images.shape[1] <= MOST_CHANNELS < min(images.shape[2:]):
        rows, columns, channels = images.shape[1:]
        raise ValueError(
            f"{name} has shape {images.shape}, which is {rows} rows of {columns} pixels with {channels} channels;"
            " expected (N, H, W, C), channels last: numpy.moveaxis(images, 1, -1)"
        )


def batch(x: Array, images: Array | None = None, name: str = "x") -> ModuleType:
    """Check a noisy batch, and that one of its items has the shape of one of the training `images`.

    Raises TypeError for integers or for arrays in different places, ValueError for a wrong rank or shape, or NaN.
    """
    xp = finite_floats(x, name)
    if images is not None:
        array_namespace(x, images)
        if x.shape[1:] != images.shape[1:]:
            raise ValueError(
                f"{name} has shape {x.shape}, expected (B, {', '.join(map(str, images.shape[1:]))}) to match the"
                " training set; a single item needs a batch axis: x[None]"
            )
    elif x.ndim not in (2, 4):
        raise ValueError(f"{name} has shape {x.shape}, expected (B, H, W, C) pictures or (B, D) points")
    return xp


def image_batch(x: Array, channels: int) -> ModuleType:
    """Check a noisy batch of images, (B, H, W, C) with so many `channels`; errors and answer as for `batch`."""
    xp = batch(x)
    if x.ndim != 4 or x.shape[3] != channels:
        raise ValueError(f"x has shape {x.shape}, expected images (B, H, W, {channels})")
    return xp


def levels(alpha: Any, sigma: Any) -> tuple[float, float]:
    """`alpha` and `sigma` as Python floats, so that they never change the dtype of an array.

    Raises TypeError if one is not a number, ValueError unless 0 <= alpha <= 1 and 1e-12 <= sigma <= 1e12: beyond, what
    is divided by sigma**2 would leave the range of float32.
    """
    try:
        alpha, sigma = float(alpha), float(sigma)
    except (TypeError, ValueError):
        raise TypeError(f"alpha and sigma are {alpha!r} and {sigma!r}, expected two numbers") from None
    if not 0 <= alpha <= 1:
        raise ValueError(f"alpha is {alpha}, expected 0 <= alpha <= 1: the signal scale of alpha * x0 + sigma * noise")
    if not 1e-12 <= sigma <= 1e12:  # also catches NaN
        raise ValueError(f"sigma is {sigma}, expected 1e-12 to 1e12; at sigma = 0 there is no noise to take away")
    return alpha, sigma


def window(size: Any, shape: Sequence[int] | None = None, padding: str = "zero") -> int:
    """Check the side length of a square window: an odd integer >= 1, and no larger than the image if it wraps.

    `shape` is (H, W). Raises TypeError for a size that is not an integer, ValueError for the rest.
    """
    if isinstance(size, bool) or not hasattr(size, "__index__"):
        raise TypeError(f"window size is {size!r}, expected an odd integer such as 5")
    if size < 1 or size % 2 == 0:
        raise ValueError(f"window size is {size}, expected an odd integer >= 1, so that the window has a center pixel")
    if shape is not None and padding == "circular" and size > min(shape):
        raise ValueError(
            f"window size is {size} but the pictures are {shape[0]} x {shape[1]}: a wrapping window may not be larger"
            " than the picture, or it would see pixels twice; use a smaller size or padding='zero'"
        )
    return int(size)


def integer(value: Any, name: str, least: int = 1, most: int | None = None) -> int:
    """`value` as a Python integer, if it is one and at least `least`, and at most `most` unless that is None.

    Raises TypeError for anything else than an integer, ValueError for one out of range.
    """
    if isinstance(value, bool) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} is {value!r}, expected an integer >= {least}")
    if value < least:
        raise ValueError(f"{name} is {value!r}, expected an integer >= {least}")
    if most is not None and value > most:
        raise ValueError(f"{name} is {float(min(value, 10**99)):g}, expected an integer <= {most:,}")
    return int(value)


def integers(values: Any, name: str, least: int = 1, most: int | None = None) -> tuple[int, ...]:
    """A list or tuple of such integers as `integer` takes, as a tuple of Python integers; errors as there."""
    if not isinstance(values, list | tuple):
        raise TypeError(f"{name} is {values!r}, expected a list of integers such as (1, 2)")
    return tuple(integer(value, f"a value of {name}", least, most) for value in values)


def positive(value: Any, name: str, most: float | None = None) -> float:
    """`value` as a Python float, if it is above 0, finite, and at most `most` unless that is None.

    Raises TypeError for what is no number, ValueError for one out of range.
    """
    if not hasattr(value, "__float__"):
        raise TypeError(f"{name} is {value!r}, expected a finite number > 0")
    if not 0 < value < math.inf:
        raise ValueError(f"{name} is {value!r}, expected a finite number > 0")
    if most is not None and value > most:
        raise ValueError(f"{name} is {value!r}, expected a number <= {most:g}")
    return float(value)


def share(value: Any, name: str) -> float:
    """`value` as a Python float, if it is at least 0 and below 1, such as a probability of being left out."""
    if not hasattr(value, "__float__"):
        raise TypeError(f"{name} is {value!r}, expected a number >= 0 and < 1")
    if not 0 <= value < 1:
        raise ValueError(f"{name} is {value!r}, expected a number >= 0 and < 1")
    return float(value)


def labels(values: Any, classes: int | None, count: int | None = None, name: str = "labels") -> Array:
    """Class labels on the host, (count,): integers from 0 to `classes` - 1, or, if that is None, any or strings.

    Without a `count`, any number of them, or one. Raises ValueError for another shape, for what is no integer, or for a
    label out of range.
    """
    values = to_numpy(values)
    one = values.ndim == 0
    shaped = values.ndim <= 1 if count is None else values.shape == (count,)
    if not shaped or values.dtype.kind not in ("iu" if classes else "iuUS"):
        came = f"is {values}" if one else f"has shape {values.shape} and dtype {values.dtype}"
        expected = "an integer, or one for each item," if count is None else f"({count},) integers"
        if classes is None:
            raise ValueError(f"{name} {came}, expected {expected} or strings")
        raise ValueError(f"{name} {came}, expected {expected} from 0 to {classes - 1}")
    if classes is None:
        return values
    if values.size and not 0 <= values.min() <= values.max() < classes:
        came = f"is {values}" if one else f"lie in {values.min()} to {values.max()}"
        raise ValueError(f"{name} {came}, expected {'an integer from ' if one else ''}0 to {classes - 1}")
    return values.astype(np.int64)


def generator(rng: Any) -> np.random.Generator:
    """Return `rng` if it is a `numpy.random.Generator`; raise a TypeError that says how to make one otherwise."""
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng is {type(rng).__name__}, expected a generator: rng=numpy.random.default_rng(seed)")
    return rng


def one_of(value: T, choices: Sequence[T], name: str) -> T:
    """Return `value` if it is among `choices`; raise a ValueError that lists them otherwise."""
    if value not in choices:
        listed = ", ".join(repr(c) for c in choices)
        raise ValueError(f"{name} is {value!r}, expected one of {listed}{meant(value, choices)}")
    return value


def meant(value: Any, choices: Iterable[Any]) -> str:
    """ "; did you mean ...?" with the one of `choices` nearly as `value`, capitals or not, or nothing."""
    known = {str(choice).lower(): choice for choice in choices}
    near = difflib.get_close_matches(str(value).lower(), known, n=1, cutoff=0.6)
    return f"; did you mean {known[near[0]]}?" if near else ""


def per_image(value: Any, x: Array, name: str) -> Any:
    """A number as a Python float; an array (B,) as (B, 1, ...) in the dtype of `x`, so that it multiplies images.

    Raises ValueError for another shape, or unless it is finite and not negative.
    """
    xp = array_namespace(x)
    values = xp.asarray(value, dtype=x.dtype)
    if values.shape not in ((), x.shape[:1]):
        raise ValueError(f"{name} has shape {values.shape} for a batch of {len(x)}; expected a number or ({len(x)},)")
    if not bool((values >= 0).all() & xp.isfinite(values).all()):
        raise ValueError(f"{name} is {value}, expected finite and not negative")
    return values.reshape(-1, *[1] * (x.ndim - 1)) if values.ndim else float(value)  # (B, 1, ...)


def same_shape(a: Array, b: Array, name_a: str, name_b: str) -> None:
    """Check that two arrays live in one place and have the same shape, so that nothing broadcasts unseen."""
    array_namespace(a, b)
    if a.shape != b.shape:
        raise ValueError(f"{name_a} has shape {a.shape} and {name_b} {b.shape}, expected the same shape")


def pair(x: Array, other: Array, alpha: Any, sigma: Any, signal: bool = False) -> tuple[float, float]:
    """Check two arrays of one shape and a noise level; returns `levels`. `signal`: alpha = 0 is a ValueError too."""
    same_shape(x, other, "x", "the other array")
    alpha, sigma = levels(alpha, sigma)
    if signal and alpha == 0:
        raise ValueError("alpha is 0: x holds no signal, so x0 does not follow from its noise or its score")
    return alpha, sigma


def signal(alpha: Any, t: Any, name: str) -> None:
    """Raise ValueError where a schedule, called `name` in the message, has alpha = 0: no drift has a limit there."""
    if np.min(alpha) <= 0:
        raise ValueError(f"schedule {name!r} has alpha = 0 at t = {t}: no drift there; start below")


def times(t: Any) -> Array:
    """`t` as a float64 array. Raises ValueError unless all times lie in [0, 1]."""
    times = np.asarray(t, dtype=np.float64)
    if not np.all((times >= 0) & (times <= 1)):  # also catches NaN
        raise ValueError(f"t is {t}, expected times in [0, 1]: 0 is the picture, 1 is noise")
    return times


def method(method: str, methods: Sequence[str], eta: float, rng: Rng) -> bool:
    """Check how to go back: one of `methods`, with an `eta` that fits it; returns whether noise is drawn.

    Raises ValueError if it is drawn and `rng` is None.
    """
    one_of(method, methods, "method")
    if not 0 <= eta <= 1:
        raise ValueError(f"eta is {eta}, expected 0 <= eta <= 1: 0 is deterministic, 1 is ancestral sampling")
    if eta > 0 and method != "ddim":
        raise ValueError(f"eta is {eta} with method {method!r}, which has none; use method 'ddim', or leave eta out")
    draws = method in ("ddpm", "euler_maruyama") or eta > 0
    if draws and rng is None:
        name = f"ddim with eta = {eta:g}" if method == "ddim" else repr(method)
        raise ValueError(f"method {name} draws noise: pass rng=numpy.random.default_rng(seed)")
    return draws


def grid(x: Array, schedule: Callable[[float], tuple[Any, Any]], times: Any) -> list[tuple[float, float, float]]:
    """Check the noisy batch `x` and the strictly falling `times` (K,); returns K triples (alpha, sigma, t)."""
    batch(x)
    times = np.asarray(times, dtype=np.float64)
    if times.ndim != 1 or len(times) < 2:
        raise ValueError(f"times has shape {times.shape}, expected at least two times, such as schedule.times(20)")
    if not np.all(np.diff(times) < 0):
        raise ValueError("times must fall strictly from noise (1) to the picture (0), such as schedule.times(20)")
    found = [(*schedule(t), t) for t in times.tolist()]
    if found[-2][1] <= 0:
        raise ValueError(f"sigma is 0 at t = {found[-2][2]}, before the last time; only the last may be free of noise")
    return found


def answer(x0_hat: Any, x: Array, i: int, now: Any) -> None:
    """Check what a denoiser answered in step `i` at the level `now`: the shape and dtype of `x`, no NaN."""
    if getattr(x0_hat, "shape", None) != x.shape or x0_hat.dtype != x.dtype:
        raise ValueError(
            f"step {i}: the denoiser returned {getattr(x0_hat, 'dtype', type(x0_hat).__name__)}"
            f" {getattr(x0_hat, 'shape', '')}, expected {x.dtype} {x.shape} as x"
        )
    if not bool(array_namespace(x0_hat).isfinite(x0_hat).all()):
        raise ValueError(f"step {i} (t = {now.t:.3f}, sigma = {now.sigma:.3g}): the denoiser returned NaN or infinity")
