"""Running what strangers wrote: a locked process, and the wire between it and the grader.

Read `worker`, `wire` and `lockdown`, then `process`, the grader's side. Nothing here imports what lies outside: the
locked process has these files, NumPy and the standard library.
"""
