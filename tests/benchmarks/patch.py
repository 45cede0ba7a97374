"""ELS, zero border, one query: the back ends of `Patch` and plain PyTorch, in turn, in one process."""

import json
import sys

from edudiff.bench import records


def main(rounds=5, *cases):
    """Print one JSON record a case and back end; `ratio` is PyTorch's median seconds over the back end's."""
    for what in cases or records.PATCH:
        for record in records.patch(what, int(rounds)):
            print(json.dumps(record), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
