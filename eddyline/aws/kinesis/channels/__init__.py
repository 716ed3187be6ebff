"""Channels, which deliver the records of a stream to a bucket."""
