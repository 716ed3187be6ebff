"""Pure algorithms, arrays in and scores out: forests, thresholds, detectors."""
