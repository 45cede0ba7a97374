"""How large a window the trained network uses at each noise level, read off its own answers."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from edudiff.compare.metrics import cosine_similarity
from edudiff.denoisers import WindowSchedule
from edudiff.denoisers.window_schedule import mix, split
from edudiff.forward import noise_from_x0
from edudiff.reverse import Step, steps
from edudiff.schedule import Schedule
from edudiff.support.arrays import to_numpy
from edudiff.support.types import Array, Denoiser


def calibrate(
    net: Denoiser,
    patch: Any,
    schedule: Schedule,
    x: Array,
    times: Array,
    sizes: Sequence[int],
    method: str = "ddim",
    progress: Callable[[Iterator[Step]], Iterable[Step]] | None = None,
    parts: int = 1,
    uphill: bool = False,
) -> WindowSchedule:
    """The window size of `patch` that predicts `net` best at each reverse step: a `WindowSchedule` table.

    Follows the network's own trajectories (Kamb & Ganguli 2024, appendix C.2) from the noise `x` (B, H, W, C) along
    `times`; at each step, the size with the highest cosine similarity between the noise that the network and the
    formula predict, on average over the batch. `patch`: a denoiser with a `sweep` method. `sizes`: odd window sizes to
    choose from. `progress`: wraps the steps, such as a progress bar. `parts`: into how many parts the way from one odd
    size to the next is cut; above 1 the table is for `Between`. `uphill`: from the second step on try not all `sizes`,
    but those beside the size of the step before, and go on to smaller or larger ones as long as that is better.

    Measured at each step's own noise level and kept under it: what is read off at step i is used at step i.
    Raises ValueError for an empty list of sizes, a bad size, or a gap in the sizes if `parts` is above 1.
    """
    if not sizes:
        raise ValueError("sizes is empty, expected odd window sizes to choose from, such as (3, 5, 7, 9)")
    if parts < 1 or (parts > 1 and list(sizes) != list(range(sizes[0], sizes[-1] + 1, 2))):
        raise ValueError(f"parts is {parts}, sizes are {sizes}; expected parts >= 1, and above 1 sizes without a gap")
    first = sizes = sorted({*sizes})
    ratios, best = [], []
    walk = steps(net, schedule, x, times, method)
    for step in progress(walk) if progress else walk:
        if step.alpha == 0:
            continue  # no signal: every window gives the same answer
        level = (step.alpha, step.sigma)
        wanted = noise_from_x0(step.x, step.x0_hat, *level)  # (B, H, W, C)
        answers: dict[int, Any] = {}  # {size: (B, H, W, C)}
        likeness: dict[float, float] = {}
        tried = first
        while tried:
            answers |= patch.sweep(step.x, *level, tried)
            between = {k + 2 * j / parts for k in answers if k + 2 in answers for j in range(parts)}
            for size in sorted({*answers, *between} - likeness.keys()):
                noise_hat = noise_from_x0(step.x, mix(answers, *split(size)), *level)  # (B, H, W, C)
                likeness[size] = float(to_numpy(cosine_similarity(wanted, noise_hat).mean()))
            top = max(answers, key=likeness.__getitem__)
            tried = [size for size in _beside(sizes, top) if size not in answers]
        ratios.append(step.sigma / step.alpha)
        best.append(max(likeness, key=likeness.__getitem__))
        first = _beside(sizes, split(best[-1])[0]) if uphill else sizes
    return WindowSchedule(ratios, best)


def _beside(sizes, size):
    """`size`, and the next smaller and larger one of `sizes`."""
    at = sizes.index(size)
    return sizes[max(at - 1, 0) : at + 2]
