"""What the machine has: memory and threads."""
