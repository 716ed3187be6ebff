"""Consumers with enhanced fan-out, and their subscriptions to shards."""
