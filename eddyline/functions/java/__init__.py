"""What Flink's functions take over from Java: regular expressions, formats, dates, number texts."""
