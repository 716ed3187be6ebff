"""Replay: files as streams, in event order and with their gaps."""
