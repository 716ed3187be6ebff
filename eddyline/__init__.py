"""Eddyline finds anomalies in clickstreams in real time, on one machine."""

__version__ = "0.1.0"
