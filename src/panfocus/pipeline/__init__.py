"""From sources to a fusion: plan, read, register, decide, fold, report."""
