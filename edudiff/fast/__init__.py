"""Numba kernels: plain loops, each beside a NumPy definition that it must equal. Nothing here is imported unless used."""
