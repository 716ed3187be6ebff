"""Streams and their shards: created, described, resharded; what is set per stream."""
