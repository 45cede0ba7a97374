"""How large a window a network will use at each noise level, told from training images alone, before it is trained.

Two rules, both about noisy images that the formula does not contain, since a trained network denoises what it has never
seen. `by_entropy`: the largest window for which many training windows still compete; a larger one would only recognize
the image it is from. `by_error`: the window that denoises best; it needs no number.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias

from edudiff.denoisers import WindowSchedule
from edudiff.denoisers.window_schedule import mix, split
from edudiff.forward import add_noise
from edudiff.schedule import Schedule
from edudiff.support import checks
from edudiff.support.types import Array

NATS = 5.0  # of entropy: about 150 training windows still compete; measured in figures/results/README.md

Progress: TypeAlias = Callable[[Sequence[int]], Iterable[int]]
Level: TypeAlias = tuple[float, float, Array]  # alpha, sigma, noisy images


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

    most, levels = checks.window(largest), _levels(x0, noise, schedule, times)

    def search(i: int, before: int) -> float:
        alpha, sigma, x = levels[i]
        entropy = _Remembered(lambda k: _entropy(patch.posteriors(x, alpha, sigma, [k])[k], k))
        k = before
        while k + 2 <= most and entropy[k + 2] >= nats:
            k += 2
        while k > 1 and entropy[k] < nats:
            k -= 2
        if k + 2 > most or entropy[k] < nats:
            return k
        return round(k + 2 * (entropy[k] - nats) / (entropy[k] - entropy[k + 2]), 2)

    return _schedule(levels, _in_turn(search, range(len(levels)), most, progress))


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
    closed form: the errors are linear in it. Where both a small and a large size do better than those next to them, the
    better of the two counts: it is looked for from much noise and the largest size, and from little and the smallest.
    `progress` is called for each. Raises ValueError for an even `largest`.
    """
    most, levels = checks.window(largest), _levels(x0, noise, schedule, times)
    answers = [_Remembered(partial(_answer, patch, *level)) for level in levels]
    errors: list[dict[float, float]] = [{} for _ in levels]  # {side: error} of those that were looked at

    def search(i: int, before: int) -> float:
        answer = answers[i]
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
            found[round(narrow + 2 * share, 2)] = float(((mixed - x0) ** 2).mean())
        errors[i] |= found
        return min(found, key=found.__getitem__)

    numbers = range(len(levels))
    _in_turn(search, numbers, most, progress)
    _in_turn(search, numbers[::-1], 1, progress)
    return _schedule(levels, [min(of_one, key=of_one.__getitem__) for of_one in errors])


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


def _answer(patch: Any, alpha: float, sigma: float, x: Array, window: int) -> Array:
    return patch.sweep(x, alpha, sigma, [window])[window]


def _levels(x0: Array, noise: Array, schedule: Schedule, times: Array) -> list[Level]:
    """From much noise to little; without those that have no signal, where every window gives the same answer."""
    found = [schedule(t) for t in times[:-1].tolist()]
    return [(*level, add_noise(x0, *level, noise).astype(x0.dtype)) for level in found if level[0] > 0]


def _in_turn(
    search: Callable[[int, int], float], numbers: range, before: int, progress: Progress | None
) -> list[float]:
    """The sides `search(i, before)` of the levels i, one after the other; `before`: the odd size found before."""
    sides: list[float] = []
    for i in progress(numbers) if progress else numbers:
        sides.append(search(i, before))
        before, _ = split(sides[-1])
    return sides


def _schedule(levels: list[Level], sides: list[float]) -> WindowSchedule:
    return WindowSchedule([sigma / alpha for alpha, sigma, _ in levels], sides)
