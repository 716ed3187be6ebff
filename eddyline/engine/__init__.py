"""A plan at work: sources, operators and sinks around one loop."""
