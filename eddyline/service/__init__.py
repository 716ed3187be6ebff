"""What the product does, without a face: statements, sessions, notes, generators, alerts."""
