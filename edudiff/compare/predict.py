"""How large a window a network will use at each noise level, told from training images alone, before it is trained.

Two rules, both about noisy images that the formula does not contain, since a trained network denoises what it has never
seen. `by_entropy`: the largest window for which many training windows still compete; a larger one would only recognize
the image it is from. `by_error`: the window that denoises best; it needs no number.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from edudiff.denoisers import WindowSchedule
from edudiff.denoisers.window_schedule import mix, split
from edudiff.forward import add_noise
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.types import Array

NATS = 5.0  # of entropy: about 150 training windows still compete; measured in figures/results/README.md

Progress = Callable[[Iterable[float]], Iterable[float]]


def by_entropy(
    patch: Any,
    x0: Array,
    noise: Array,
    schedule: Schedule,
    times: Array,
    largest: int,
    nats: float = NATS,
    progress: Progress | None = None,
) -> WindowSchedule:
    """At each noise level the largest window for which training windows compete with `nats` of entropy: for `Between`.

    The entropy of a window size is the mean over all pixels whose window lies inside the image (of a size that lies
    inside nowhere: over all pixels), weighted by the posterior variance of the pixel: where the answer is certain, it
    matters little what the window is. Between two odd sizes it is interpolated. `patch`: of training images, with a
    method `posteriors`, such as `Patch`. `x0`, `noise`: (B, H, W, C), images that `patch` does not contain, and
    standard normal noise, the same at all levels. `times`: as for `edudiff.reverse.steps`, the last one is left out.
    `largest`: odd, what the network can see.
    Raises ValueError for an even `largest`, or for `nats` that are negative.
    """
    if not nats >= 0:
        raise ValueError(f"nats is {nats}, expected an entropy >= 0, such as {NATS}")

    def side(x: Array, alpha: float, sigma: float, before: int) -> float:
        entropy = _Remembered(lambda k: _entropy(patch.posteriors(x, alpha, sigma, [k])[k], k))
        k = before
        while k + 2 <= most and entropy[k + 2] >= nats:
            k += 2
        while k > 1 and entropy[k] < nats:
            k -= 2
        if k + 2 > most or entropy[k] < nats:
            return k
        return k + 2 * (entropy[k] - nats) / (entropy[k] - entropy[k + 2])

    most = checks.window(largest)
    return _at_each_level(side, x0, noise, schedule, times, most, progress)


def by_error(
    patch: Any,
    x0: Array,
    noise: Array,
    schedule: Schedule,
    times: Array,
    largest: int,
    progress: Progress | None = None,
) -> WindowSchedule:
    """At each noise level the window whose answers have the smallest squared error: a table for `Between`.

    Arguments as for `by_entropy`, but that `patch` needs a method `sweep`; that of `edudiff.denoisers.LeaveOneOut`
    answers the training images themselves. The mix of two neighboring odd sizes with the smallest error is known in
    closed form: the errors are linear in it. Raises ValueError for an even `largest`.
    """

    def side(x: Array, alpha: float, sigma: float, before: int) -> float:
        answer = _Remembered(lambda k: patch.sweep(x, alpha, sigma, [k])[k])
        error = _Remembered(lambda k: float(((answer[k] - x0) ** 2).mean()))
        k = before
        while k + 2 <= most and error[k + 2] < error[k]:
            k += 2
        while k > 1 and error[k - 2] < error[k]:
            k -= 2
        found = {float(k): error[k]}
        for narrow in range(max(k - 2, 1), min(k, most - 2) + 1, 2):
            change = answer[narrow + 2] - answer[narrow]  # (B, H, W, C)
            share = -float(((answer[narrow] - x0) * change).sum()) / max(float((change**2).sum()), 1e-300)
            share = min(max(share, 0.0), 1.0)
            mixed = mix({narrow: answer[narrow], narrow + 2: answer[narrow + 2]}, narrow, share)  # (B, H, W, C)
            found[narrow + 2 * share] = float(((mixed - x0) ** 2).mean())
        return min(found, key=found.__getitem__)

    most = checks.window(largest)
    return _at_each_level(side, x0, noise, schedule, times, most, progress)


class _Remembered(dict):
    """What a function gave for each argument, asked once."""

    def __init__(self, function: Callable[[int], Any]) -> None:
        super().__init__()
        self.function = function

    def __missing__(self, k: int) -> Any:
        self[k] = self.function(k)
        return self[k]


def _entropy(posterior: Any, window: int) -> float:
    """The mean entropy of pixels whose window lies inside, else of all, weighted by variance; 0 if all is certain."""
    r = window // 2 if window <= min(posterior.entropy.shape[1:]) else 0
    rows, columns = (slice(r, length - r) for length in posterior.entropy.shape[1:])
    variance, entropy = posterior.variance[:, rows, columns], posterior.entropy[:, rows, columns]  # (B, h, w) each
    total = float(variance.sum())
    return float((variance * entropy).sum()) / total if total > 0 else 0.0


def _at_each_level(
    side: Callable[[Array, float, float, int], float],
    x0: Array,
    noise: Array,
    schedule: Schedule,
    times: Array,
    most: int,
    progress: Progress | None,
) -> WindowSchedule:
    """The table of `side(x, alpha, sigma, before)` from much noise to little; `before`: the odd size found before."""
    ratios, sides, before = [], [], most
    levels: Iterator[Any] | Iterable[Any] = times[:-1].tolist()
    for t in progress(levels) if progress else levels:
        alpha, sigma = schedule(t)
        if alpha == 0:
            continue  # no signal: every window gives the same answer
        x = add_noise(x0, alpha, sigma, noise).astype(x0.dtype)  # (B, H, W, C)
        sides.append(round(side(x, alpha, sigma, before), 2))
        ratios.append(sigma / alpha)
        before, _ = split(sides[-1])
    return WindowSchedule(ratios, sides)
