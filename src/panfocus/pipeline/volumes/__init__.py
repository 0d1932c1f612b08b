"""A scientific stack fused along Z: the same pipeline for every position, time and channel."""
