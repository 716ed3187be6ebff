"""Where the filesystem connector's files are: local folders, or buckets of S3."""
