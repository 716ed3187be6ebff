"""Where a plan's rows go."""
