"""The page: see a stack, fuse it, compare, mend and save, in a browser on the user's own machine.

A face like the command line: it calls `plan`, `fuse`, `Outputs` and the retouch engine, and knows
no way of its own to make a pixel of a result. What it has of its own is who may come in
(`safety`), what may be read and written (`places`), what is open (`stacks`), pictures cut into
tiles for looking at (`pictures`, `pyramids`), and the page itself (``static``).

Needs the extra ``web``; only ``panfocus view`` imports it.
"""
