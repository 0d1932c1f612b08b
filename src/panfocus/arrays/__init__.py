"""Pure functions of arrays; they know nothing of frames, files or systems."""
