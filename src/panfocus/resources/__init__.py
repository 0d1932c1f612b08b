"""What the machine has: memory, threads, and names of files."""
