"""Records of streams: PutRecord and PutRecords, shard iterators and GetRecords."""
