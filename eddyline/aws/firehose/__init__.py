"""Amazon Data Firehose: delivery streams that carry records into buckets.

A delivery stream gets its records from PutRecord and PutRecordBatch, which keep them in a log of
their own below ``firehose``, or from a Kinesis stream. ``aws/delivery`` delivers them.
"""
