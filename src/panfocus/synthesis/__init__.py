"""Scenes with known truth: defocus as a lens makes it, over photographs that are sharp."""
