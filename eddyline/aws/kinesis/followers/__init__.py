"""What channels and queues have in common: both read a stream and keep their position."""
