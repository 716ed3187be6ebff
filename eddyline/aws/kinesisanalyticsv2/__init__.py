"""Managed Service for Apache Flink (KinesisAnalyticsV2) over the server's applications.

The server keeps and runs the applications; a worker of the endpoint calls it over the control
socket.
"""
