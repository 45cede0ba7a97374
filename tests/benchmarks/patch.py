"""ELS, zero border, one query: the back ends of `Patch` and plain PyTorch, in turn, in one process."""

import importlib.util
import json
import sys

from edudiff.bench import records


def plain_torch(images, window, x, alpha, sigma):
    """Plain PyTorch at its best form and mini-batch size: a call, and what it is."""
    from torch_patch import fastest

    plain = fastest(images, window, x, alpha, sigma)
    return lambda: plain(x, alpha, sigma), f"torch, {plain.form}, {plain.batch} images at once"


def main(rounds=5, *cases):
    """Print one JSON record a case and back end; `ratio` is PyTorch's median seconds over the back end's."""
    peer = plain_torch if importlib.util.find_spec("torch") else None
    for what in cases or records.PATCH:
        for record in records.patch(what, int(rounds), peer=peer):
            print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
