"""Progress of long work on the terminal: tqdm's bars if it is installed, a plain line now and then if not."""

import sys
import time
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")


def bar(iterable: Iterable[T], total: int, label: str) -> Iterable[T]:
    """Iterate over `iterable` and show how far it is and the time left, on standard error. `total`: its length."""
    try:
        from tqdm import tqdm
    except ImportError:
        return _lines(iterable, total, label)
    return tqdm(iterable, total=total, desc=f"{label:<12}", mininterval=0.5, file=sys.stderr, dynamic_ncols=True)


def _lines(iterable: Iterable[T], total: int, label: str, pause: float = 5.0) -> Iterator[T]:
    begun = said = time.monotonic()
    for done, item in enumerate(iterable, 1):
        yield item
        now = time.monotonic()
        if now - said > pause or done == total:
            left = (now - begun) / done * (total - done)
            print(f"{label:<12} {done} of {total}, {left:.0f} s left", file=sys.stderr, flush=True)
            said = now
