"""Training of the refiner (`panfocus.systems.refiner`), which carries decisions to full scale.

OURS. It learns from defocused frames that were blurred again, as the second half of Dual-Path's
recipe does: the bundled system decides about them at a reduced scale, and the picture before tells
what the weights should have been. One command makes the bundled one, ``make bundle-refiner``.
"""
