"""Dual-Path: learned from defocused pictures alone, for any number of frames.

Quan, Wan, Zheng, Huang, Ji: IEEE Transactions on Multimedia 27:1165-1176 (2025). Only the
abstract could be had. Every file says what is FOUND there, what is INFERRED (our reconstruction
of the paper) and what is OURS (beyond it). See docs/dualpath.md.
"""
