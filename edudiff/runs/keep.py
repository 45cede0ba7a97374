"""A training run that is kept: a progress bar, a checkpoint now and then, and nothing lost after Ctrl-C."""

import time

from edudiff import nn
from edudiff.support.interrupt import deferred
from edudiff.support.progress import bar

SAVE_EVERY = 30.0  # seconds between checkpoints


def keep(states, path, total, label, state=None, each=None):
    """Go through the `states` of `nn.train` and keep the last at `path`; returns it.

    A checkpoint is written every half minute, at the end, and after Ctrl-C, which here stops between two steps and
    raises KeyboardInterrupt. `total`: how many states there will be; `label`: what the progress bar says. `state`: what
    is returned if there are none. `each`: is called with every state.
    """
    saved = time.perf_counter()
    with deferred() as stop:
        for state in bar(states, total, label):
            if each:
                each(state)
            if stop.is_set():
                break
            if time.perf_counter() - saved > SAVE_EVERY:
                nn.checkpoint.save(path, state)
                saved = time.perf_counter()
        if total:
            nn.checkpoint.save(path, state)
    if stop.is_set():
        raise KeyboardInterrupt
    return state
