"""Where a plan's rows come from."""
