"""Rows of an operator's state by key: the hot ones in DuckDB, the others in sorted files."""
