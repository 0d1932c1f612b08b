"""Registration: where the frames of a stack lie, how bright they are, and what to do about it.

`register` finds the transform between two frames and keeps it only if pixels that it was not
fitted to speak for it; `chain` composes such steps outwards from the reference frame; `warp`
resamples a frame once. Nothing here knows where frames come from.
"""
