"""The same statements on a real Flink cluster."""
