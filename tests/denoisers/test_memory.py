"""Memory, measured: what a call needs does not grow with the training set, and what is kept is at most a copy of it."""

import json
import os
import subprocess
import sys
import tracemalloc

import numpy as np
import pytest

from edudiff.denoisers import Ideal, Patch

SMALL, LARGE = 8192, 32768  # pictures; both are more than any chunk
SHAPE = (8, 8, 1)


def pictures(count):
    return np.random.default_rng(0).uniform(-1, 1, (count, *SHAPE)).astype(np.float32)


def peak(make, count, sigma):
    """Bytes that NumPy asks for in the second call, which finds everything that is kept, and the bytes kept."""
    images = pictures(count)
    x = (0.8 * images[:2] + sigma * np.random.default_rng(1).standard_normal((2, *SHAPE))).astype(np.float32)
    tracemalloc.start()
    denoise = make(images)
    denoise(x, 0.8, sigma)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    denoise(x, 0.8, sigma)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most - kept, kept


MAKERS = {
    "ideal": Ideal,
    "local": lambda images: Patch(images, 5, shifts=False, backend="numpy"),
    "els": lambda images: Patch(images, 7, backend="numpy"),
    "torus": lambda images: Patch(images, 3, shifts=False, padding="circular", backend="numpy"),
}


@pytest.mark.parametrize("sigma", [0.05, 0.6])
@pytest.mark.parametrize("name", MAKERS)
def test_a_call_needs_the_same_memory_for_any_number_of_images(name, sigma):
    small, _ = peak(MAKERS[name], SMALL, sigma)
    large, kept = peak(MAKERS[name], LARGE, sigma)
    images = LARGE * 64 * 4
    assert large < 1.1 * small + images / 50
    assert kept < 1.6 * images  # one copy, in the order in which it is read, and little beside


MEASURE = """
import json, sys
import numpy as np
from edudiff.bench.measure import extra_memory
from edudiff.denoisers import Patch

def measure(count, sigma, shifts):
    images = np.random.default_rng(0).uniform(-1, 1, (count, 8, 8, 1)).astype(np.float32)
    x = (0.8 * images[:2] + sigma * np.random.default_rng(1).standard_normal((2, 8, 8, 1))).astype(np.float32)
    make = lambda: Patch(images, 7, shifts=shifts, backend="numba")
    first = extra_memory(lambda: make()(x, 0.8, sigma))
    denoise = make()
    denoise(x, 0.8, sigma)
    return first, extra_memory(lambda: denoise(x, 0.8, sigma))

measure(100, 0.6, True)
cases = [(sigma, shifts) for sigma in (0.05, 0.6) for shifts in (False, True)]
print(json.dumps([[measure(count, *case) for count in map(int, sys.argv[1:])] for case in cases]))
"""


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="resident memory is read from /proc")
def test_the_compiled_kernel_does_not_grow_with_the_number_of_images():
    """The operating system's count, which sees what compiled code takes; in a process of its own."""
    pytest.importorskip("numba")
    command = [sys.executable, "-c", MEASURE, str(SMALL), str(LARGE)]
    # Freed memory is given back at once, or what a call needs depends on what earlier calls left lying about.
    giving = {"MALLOC_MMAP_THRESHOLD_": "65536", "MALLOC_TRIM_THRESHOLD_": "65536"}
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | giving)
    images = LARGE * 64 * 4
    for (_, small), (first, large) in json.loads(run.stdout):
        assert large < small + images / 4
        assert first < large + images / 2  # no copy of the set, in whatever order or precision
