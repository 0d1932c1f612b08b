"""The commands, a file each; what they do is imported when they run."""
