"""The public test kit: a server on a free port, a manual clock, golden cases."""
