"""Delivery of a stream's records to buckets, shared by the services that offer it.

A service implements ``DeliverySource`` (what to deliver, how far each delivery has come) and runs a
``DeliveryWorker`` over it. Kinesis' channels and Firehose's delivery streams are the two users.
"""
