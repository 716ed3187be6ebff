"""The model of one column of one key: what it expects, how far off a value is, how rare that is."""
