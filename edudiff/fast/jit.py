"""How every kernel is compiled, and how work is spread over the processor's cores."""

from concurrent.futures import ThreadPoolExecutor

import numba

# Sums may be reordered and fused, which makes them vectors; NaN and infinity keep their meaning.
compiled = numba.njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"})


def share_out(function, pieces):
    """`function(piece)` for every piece, on Numba's number of threads (`NUMBA_NUM_THREADS`, `numba.set_num_threads`).

    Threads only decide who computes a piece, never what is in it, so the answers do not depend on their number.
    """
    threads = min(numba.get_num_threads(), len(pieces))
    if threads == 1:
        return [function(piece) for piece in pieces]
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, pieces))
