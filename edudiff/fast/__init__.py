"""Numba kernels: plain loops, each beside a NumPy definition that it must equal. Imported only when used."""
