"""Running what strangers wrote: a locked process, and the wire between it and the grader.

`worker`, `wire` and `lockdown` are the submission's side, `process` is the grader's. Nothing here imports what lies
outside: the locked process has these files, NumPy and the standard library.
"""
