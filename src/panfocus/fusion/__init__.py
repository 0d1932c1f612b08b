"""From decisions to pixels: fold frames by the weights of a system, and mix or choose.

No files, and no options but those that are named in a call.
"""
