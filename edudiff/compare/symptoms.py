"""Symptoms: what a schedule, a denoiser, a training and a loop show when something is wrong, each by one check.

Every check returns the `Finding`s that it has, usually none; `asked` are the noisy batches that the denoiser is asked
about, (alpha, sigma, x) from little noise to much.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from edudiff import forward
from edudiff.compare.repairs import MISTAKES
from edudiff.reverse import sample
from edudiff.schedule import Schedule
from edudiff.support.arrays import to_numpy
from edudiff.support.random import standard_normal, streams
from edudiff.support.types import Array, Denoiser

HELPS = 0.7  # a repair that leaves less than this of the error has found a mistake
HARMS = 1.1  # and it may nowhere leave more than this
WHERE = 3  # noise levels, those that it helps most
WORSE = 1.5  # times the error of the simplest denoiser
RISEN = 1.5  # times the lowest loss so far
STEPS = 12  # of the loop that is tried

Sampler = Callable[[Denoiser, Schedule, Array, Array], Array]  # (denoise, schedule, x, times) -> images


@dataclass(frozen=True)
class Finding:
    """One thing that looks wrong: the mistake by name, what shows it, and what to do."""

    cause: str
    shows: str
    advice: str

    def __str__(self) -> str:
        return f"{self.cause}: {self.shows}; {self.advice}"


def noisy(x0: Array, alpha: float, sigma: float, rng: Any) -> Array:
    """`x0` (B, ...) with noise, image b from stream `rng[b]`: (B, ...)."""
    return forward.add_noise(x0, alpha, sigma, standard_normal(rng, x0.shape, x0))  # (B, ...)


def of_schedule(schedule: Schedule) -> list[Finding]:
    """Mistakes that the two curves of a schedule show by themselves."""
    times = np.linspace(0.0, 1.0, 101)[1:-1]
    alpha, sigma = schedule(times)  # (T,), (T,)
    what = f"schedule {schedule.name}"
    if alpha[-1] > alpha[0] or sigma[-1] < sigma[0]:
        shows = f"{what} has alpha {alpha[0]:.2f} and sigma {sigma[0]:.2f} near t = 0, {alpha[-1]:.2f} and"
        return [Finding("time reversed", f"{shows} {sigma[-1]:.2f} near t = 1", "t = 1 is noise, t = 0 the image")]
    if abs(alpha**2 + sigma - 1).max() < 1e-6:
        shows = f"{what} has alpha**2 + sigma = 1 at every time"
        return [Finding("missing square root of sigma", shows, "the noise has the scale sigma = sqrt(1 - alpha_bar)")]
    if abs(alpha + sigma**2 - 1).max() < 1e-6:
        shows = f"{what} has alpha + sigma**2 = 1 at every time"
        return [Finding("missing square root of alpha", shows, "the image has the scale alpha = sqrt(alpha_bar)")]
    if alpha[0] - alpha[-1] > 0.5 and sigma.max() < 0.5:
        shows = f"{what} takes the signal away, down to alpha = {alpha[-1]:.3f}, but sigma is never above"
        advice = "sigma is sqrt(1 - alpha_bar), of all steps so far; beta is of one step"
        return [Finding("beta for 1 - alpha_bar", f"{shows} {sigma.max():.3f}", advice)]
    return []


def of_form(denoise: Denoiser, asked: list[Any]) -> list[Finding]:
    """Whether the answer has the form of an answer: the first thing that is wrong with it."""
    alpha, sigma, x = asked[len(asked) // 2]
    before = x.copy()  # (B, ...)
    answer = denoise(x, alpha, sigma)
    if getattr(answer, "shape", None) != x.shape:
        shows = f"x has shape {x.shape}, the answer {getattr(answer, 'shape', type(answer).__name__)}"
        return [Finding("wrong shape", shows, "an answer has the shape of x, (B, H, W, C), channels last")]
    if not bool((x == before).all()):
        return [Finding("input overwritten", "x was changed by the call", "compute into a new array")]
    if not np.isfinite(to_numpy(answer)).all():
        shows = f"the answer at sigma / alpha = {sigma / alpha:.2f} holds NaN or infinity"
        return [Finding("not finite", shows, "look for exp without its maximum taken off, and for 0 / 0")]
    if answer.dtype != x.dtype:
        shows = f"x is {x.dtype}, the answer {answer.dtype}"
        return [Finding("wrong dtype", shows, "a float64 array on the way makes all float64; a Python float does not")]
    scale = float(answer.std()) or 1.0
    if float(abs(denoise(x, alpha, sigma) - answer).max()) > 1e-3 * scale:
        advice = "a denoiser draws no noise, and nothing is dropped out once it is trained"
        return [Finding("random answers", "asked twice about the same x, it gives two answers", advice)]
    alone = np.concatenate([to_numpy(denoise(x[i : i + 1], alpha, sigma)) for i in range(len(x))])  # (B, ...)
    apart = float(abs(alone - to_numpy(answer)).max())
    if apart > 0.05 * scale:
        shows = f"an image asked alone and the same in a batch get answers {apart:.2g} apart"
        return [Finding("batch mixed", shows, "an axis was averaged or broadcast that is the batch's: look at axis=0")]
    return []


def of_level(denoise: Denoiser, asked: list[Any]) -> list[Finding]:
    """Whether the noise level matters to the answer."""
    x = asked[len(asked) // 2][2]
    one, other = (to_numpy(denoise(x, alpha, sigma)) for alpha, sigma, _ in (asked[0], asked[-1]))
    if len(asked) > 1 and abs(one - other).max() <= 1e-6 * (abs(one).max() or 1.0):
        shows = "the answer to the same x is the same at every noise level"
        return [Finding("noise level ignored", shows, "the network must be told alpha and sigma, or t, in every call")]
    return []


def of_range(answers: list[Array], data: Array) -> list[Finding]:
    """Whether answers pile up at a bound that the training images go far beyond."""
    pixels = np.concatenate([answer.ravel() for answer in answers])
    reach = float(np.ptp(data))
    for bound, side in ((pixels.min(), -1), (pixels.max(), 1)):
        share, outside = float((pixels == bound).mean()), float((side * (data - bound) > 0.1 * reach).mean())
        if share > 0.05 and outside > 0.05:
            shows = f"{share:.0%} of the pixels answered are exactly {bound:.3g}, beyond which lie {outside:.0%} of the"
            return [Finding("answers clipped", f"{shows} training set's", "clip to the range of the images, or not")]
    return []


def of_mistakes(
    denoise: Denoiser, errors: Callable[..., list[float]], table: dict[str, list[float]], spread: float
) -> list[Finding]:
    """The mistake whose repair helps most, if one does."""
    own, best = np.array(table["denoise"]), np.array(table["simplest"])
    least = 1e-3 * best  # below it an answer is right for all purposes
    found: tuple[float, Any] = (HELPS, None)
    for mistake in MISTAKES:
        with np.errstate(all="ignore"):
            repaired = np.array(errors(lambda *x, repair=mistake.repair: repair(denoise, *x, spread)))
        if not np.isfinite(repaired).all():
            continue
        left = (repaired + least) / (np.minimum(own, 1e12) + least)  # at each level
        total = float(np.exp(np.log(np.sort(left)[:WHERE]).mean()))
        if total < found[0] and left.max() < HARMS and (repaired < WORSE * best).all():
            found = (total, mistake)
    if found[1] is None:
        return []
    shows = f"undone, it leaves {found[0]:.0%} of the error where that helps most"
    return [Finding(found[1].cause, shows, found[1].advice)]


def of_error(table: dict[str, list[float]], ratios: list[float]) -> list[Finding]:
    """Whether the denoiser is worse than the simplest one, for a reason that no repair undoes."""
    own, simplest = np.array(table["denoise"]), np.array(table["simplest"])
    bad = own > WORSE * simplest
    if not bad.any():
        return []
    where = ", ".join(f"{ratios[i]:.2f}" for i in np.flatnonzero(bad))
    shows = (
        f"its error is up to {float((own / simplest).max()):.1f} times that of moving x / alpha towards the mean color"
    )
    advice = "train longer, look at the loss, and at which noise levels it was trained on"
    return [Finding("large error", f"{shows}, at sigma / alpha = {where}", advice)]


def of_state(denoise: Denoiser, state: Any, errors: Callable[..., list[float]], asked: list[Any]) -> list[Finding]:
    """What the training shows: a loss that rises again, and an average of the weights that is there but not used."""
    found = []
    losses = np.array(state.losses, dtype="float64")
    part = max(len(losses) // 20, 1)
    smooth = losses[: len(losses) // part * part].reshape(-1, part).mean(1)  # (<= 20 and some,)
    if len(smooth) > 3 and (smooth[-1] > RISEN * smooth.min() or smooth[-1] > 0.9 * smooth[0]):
        shows = f"the loss began at {smooth[0]:.3g}, was {smooth.min():.3g} at its lowest, and is {smooth[-1]:.3g}"
        found.append(Finding("learning rate too large", shows, "divide it by ten, and let it fall to the end"))
    alpha, sigma, x = asked[len(asked) // 2]
    answer = to_numpy(denoise(x, alpha, sigma))  # (B, ...)
    near = {name: abs(to_numpy(getattr(state, name)(x, alpha, sigma)) - answer).max() for name in ("net", "ema")}
    if near["net"] < 1e-6 < near["ema"]:
        own, average = (float(np.mean(errors(net))) for net in (state.net, state.ema))
        shows = f"it answers as state.net does, with an error of {own:.3g}; that of state.ema is {average:.3g}"
        found.append(Finding("average never used", shows, "draw with state.ema, not with state.net"))
    return found


class _Spy:
    """The denoiser that answers one image whatever it is asked, and notes what it is asked.

    `start`: the noise that the loop is given, (B, ...): x holds some of the image, and the rest counts as noise.
    """

    def __init__(self, image: Array, start: Array) -> None:
        self.image = image  # (B, ...)
        self.flat, self.start = to_numpy(image).ravel(), to_numpy(start).ravel()
        self.calls: list[tuple[float, float]] = []  # sigma, and what is left of the start's; NaN with fresh noise

    def __call__(self, x: Array, alpha: float, sigma: float) -> Array:
        here = to_numpy(x).ravel()
        both = np.stack([self.flat, self.start], 1)  # (values, 2)
        parts, *_ = np.linalg.lstsq(both, here, rcond=None)  # (2,)
        fresh = np.linalg.norm(here - both @ parts) > 0.1 * np.linalg.norm(here)
        self.calls.append((float(sigma), np.nan if fresh else float(parts[1])))
        return self.image


def of_sampler(sampler: Sampler, schedule: Schedule, x0: Array, seed: int) -> list[Finding]:
    """Whether a loop ends at the image that its denoiser answers at every step, on the right way there."""
    times, (alpha, sigma) = schedule.times(STEPS), schedule(1.0)
    x = noisy(x0, alpha, sigma, streams(seed, len(x0)))  # (B, ...)
    spy = _Spy(x0, (x - alpha * x0) / sigma)
    first = to_numpy(sampler(spy, schedule, x.copy(), times))  # (B, ...)
    asked = np.array(spy.calls)  # (calls, 2)
    second = to_numpy(sampler(spy, schedule, x.copy(), times))  # (B, ...)
    if not len(asked):
        return [Finding("denoiser not asked", "the loop never called it", "each step asks denoise(x, alpha, sigma)")]
    advice = "from t = 1 down to t = 0, each step from schedule(t_i) to schedule(t_{i + 1})"
    if asked[-1, 0] > asked[0, 0]:
        shows = f"the first call is at sigma {asked[0, 0]:.2f}, the last at {asked[-1, 0]:.2f}"
        return [Finding("steps in the wrong order", shows, advice)]
    off = np.sqrt(((first - to_numpy(x0)) ** 2).mean())
    right = to_numpy(sample(spy, schedule, x, times))  # (B, ...)
    usual = np.sqrt(((right - to_numpy(x0)) ** 2).mean())  # noise that the schedule leaves
    if off > usual + 1e-2 and abs(first - second).max() > 1e-2:
        shows = f"asked for one image it ends {off:.2f} from it, elsewhere each time"
        return [Finding("noise in the last step", shows, "the last step adds no noise: its result is x0_hat")]
    grid = np.log(np.maximum(schedule(times)[1], 1e-12))  # (steps + 1,)
    asked = asked[asked[:, 1] > 0]  # (calls without fresh noise, 2)
    told, real = (abs(np.log(np.maximum(asked[:, i, None], 1e-12)) - grid) for i in (0, 1))  # (calls, steps + 1) each
    apart = -np.diff(grid, prepend=np.inf)[told.argmin(1)] > 0.1  # (calls,): near t = 1 all levels are alike
    shift = (told.argmin(1) - real.argmin(1))[apart & (told.min(1) < 0.02) & (real.min(1) < 0.02)]  # (that fit,)
    if len(shift) > 2 and np.median(shift) != 0:
        shows = f"the calls name the noise level of step i + {int(np.median(shift))} where x has that of step i"
        return [Finding("level of another step", shows, f"alpha and sigma of one step belong together: {advice}")]
    left = (first - to_numpy(x0)).ravel()
    if off > usual + 1e-2 and left @ to_numpy(x).ravel() > 0.5 * np.linalg.norm(left) * np.linalg.norm(x):
        shows = f"asked for one image it ends {off:.2f} from it, with noise of the start"
        return [Finding("loop ends too early", shows, f"the last step leads to t = 0: {advice}")]
    return []
