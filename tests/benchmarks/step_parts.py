"""Where a training step with Numba goes: each part's processor time, operations and bytes, beside what is possible.

Possible is what one core reaches on its own in the same run: one large matrix product, and one large copy. To be run
with OPENBLAS_NUM_THREADS=1; the parts of a batch run one after the other.
"""

import json
import sys
import time

import numpy as np

from edudiff.bench import records
from edudiff.fast import layers, winograd
from edudiff.nn import adam, loss, training

PARTS = {
    "products": [(winograd, "conv"), (winograd, "conv_backward")],
    "transforms": [(winograd, name) for name in ("windows_to_tiles", "tiles_to_pixels", "pixels_to_tiles")],
    "value by value": [
        (layers, name) for name in ("silu", "silu_backward", "modulate", "modulate_backward", "add", "columns")
    ],
    "Adam": [(adam.Adam, "step"), (training, "gradient_norm"), (training, "update_ema")],
}


class Parts:
    """Seconds, multiplications and additions, and bytes of arrays passed and returned, by part."""

    def __init__(self):
        self.seconds, self.operations, self.bytes = (dict.fromkeys([*PARTS, "rest"], 0.0) for _ in range(3))
        self.inside = []  # seconds of the calls within the ones that run

    def wrap(self, part, function):
        def call(*args, **more):
            self.inside.append(0.0)
            begun = time.process_time()
            answer = function(*args, **more)
            taken = time.process_time() - begun
            self.seconds[part] += taken - self.inside.pop()
            if self.inside:
                self.inside[-1] += taken
            if part == "products":  # in 36 places of each tile of 4 x 4 pixels
                back = function.__name__ == "conv_backward"  # whose gradients are two products
                x, w = args[0], args[2] if back else args[1]
                tiles = len(x) * -(-x.shape[1] // 4) * -(-x.shape[2] // 4)
                self.operations[part] += (1 + back) * 2 * 36 * tiles * w[0, 0].size
            else:
                self.bytes[part] += sum(nbytes(value) for value in (*args, answer))
            return answer

        return call

    def __enter__(self):
        self.were = [(where, name, getattr(where, name)) for some in PARTS.values() for where, name in some]
        for part, some in PARTS.items():
            for where, name in some:
                setattr(where, name, self.wrap(part, getattr(where, name)))
        return self

    def __exit__(self, *error):
        for where, name, function in self.were:
            setattr(where, name, function)


def nbytes(value):
    """Of an array, or of all in a dict or tuple."""
    if isinstance(value, dict):
        return sum(map(nbytes, value.values()))
    return sum(map(nbytes, value)) if isinstance(value, tuple) else getattr(value, "nbytes", 0)


def possible(rounds=9):
    """Operations a second of a matrix product, and bytes a second of a copy, that are read and written, float32."""
    a = np.ones((2048, 512), "f4")
    source, target = np.ones(1 << 24, "f4"), np.ones(1 << 24, "f4")
    product, copy = [], []
    for _ in range(rounds):
        begun = time.process_time()
        a @ a.T
        product.append(time.process_time() - begun)
        begun = time.process_time()
        np.copyto(target, source)
        copy.append(time.process_time() - begun)
    return 2 * 2048 * 2048 * 512 / min(product), 2 * source.nbytes / min(copy)


def main(steps=5, *cases):
    """Print a JSON record for each network: milliseconds a step of each part, and the share of what is possible."""
    loss.map_threads = lambda function, pieces: [function(piece) for piece in pieces]
    peak, bandwidth = possible()
    for what in cases or records.TRAINING:
        walk = records._training_steps(records.TRAINING[what], "numba")
        next(walk)
        with Parts() as parts:
            begun = time.process_time()
            for _ in range(int(steps)):
                next(walk)
            whole = time.process_time() - begun
        parts.seconds["rest"] = whole - sum(parts.seconds.values())
        record = {"what": what, "seconds": whole / int(steps)}
        record |= {"gflop_per_second": peak / 1e9, "gb_per_second": bandwidth / 1e9}
        for part, seconds in parts.seconds.items():
            gflop, gb = (of[part] / 1e9 / int(steps) for of in (parts.operations, parts.bytes))
            limit = (gflop / peak + gb / bandwidth) * 1e9
            share = limit / (seconds / int(steps)) if seconds else None
            record[part] = {"share": seconds / whole, "gflop": gflop, "gb": gb, "of_possible": share}
        print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
