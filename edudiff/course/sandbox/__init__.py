"""Running what strangers wrote: a locked process, and the wire between it and the grader.

Read `worker`, `wire` and `lockdown`, then `process`, the grader's side.
"""
