"""Training of the arbiter (`panfocus.systems.arbiter`), which chooses between two scales.

OURS. It learns from defocused frames that were blurred again, by a little and by much, as the
second half of Dual-Path's recipe does: the bundled system decides about them at both scales, and
the picture before tells which was right. One command makes the bundled one, ``make
bundle-arbiter``.
"""
