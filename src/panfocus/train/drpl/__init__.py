"""DRPL: deep regression pair learning for multi-focus image fusion (TIP 2020), retold.

Read `network`, `loss` and `step` beside the README of this folder, which maps equations to
functions and lists what differs from the published script, and why.
"""
