"""Python functions in SQL: their classes, the process they run in, and the calls to it."""
