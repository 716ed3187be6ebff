"""Where records rest: durable streams of blocks over LMDB, readable by many processes."""
