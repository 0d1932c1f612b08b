"""Training of the scout (`panfocus.systems.scout`), which names the frames that can matter.

OURS. It learns as the second half of Dual-Path's recipe does, from defocused frames that were
blurred again: which frame is nearest to the picture before is then known of every pixel. One
command makes the bundled one, ``make bundle-scout``.
"""
