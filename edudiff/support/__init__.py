"""What serves every part of the package: arrays, back ends, checks, random streams, files, threads, progress."""
