"""The AWS faces: protocol and services, shapes from botocore's own models."""
