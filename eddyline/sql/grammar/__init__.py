"""The grammar of Flink SQL: from tokens to the syntax tree, one file a kind of phrase."""
