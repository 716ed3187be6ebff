"""What a plan does to rows, one operator a file."""
