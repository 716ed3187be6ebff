"""What moves: SQL types, schemas and Arrow batches with a change kind."""
