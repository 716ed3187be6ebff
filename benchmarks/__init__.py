"""What BENCHMARKS.md prints: every figure of speed, with its peers, from one command."""
