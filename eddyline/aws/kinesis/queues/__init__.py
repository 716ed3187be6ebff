"""Queues, which hand out the records of a stream one by one."""
