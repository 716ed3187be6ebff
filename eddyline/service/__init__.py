"""What the product does, for any interface: statements, sessions, notes, generators, alerts."""
