"""One run on several processes: a leader that plans, tells and saves, and followers that help.

`world` knows the processes, `together` keeps their steps in time, `shares` splits a batch,
`following` is the part of the others, `launch` starts all of them on one machine.
"""
