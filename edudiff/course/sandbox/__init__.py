"""Running what strangers wrote: a locked process, and the wire between it and the grader.

`worker`, `submission` and `lockdown` (`landlock`, `mounts`, `syscalls`) are the submission's side; `process`,
`callbacks` and `own` are the grader's; `wire` is what they have in common. Nothing here imports what lies
outside: the locked process has these files, NumPy and the standard library.
"""
