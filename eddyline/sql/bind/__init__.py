"""From syntax to meaning: names become columns, expressions get types, queries become plans."""
