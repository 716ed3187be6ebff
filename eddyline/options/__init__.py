"""The options of a table's WITH clause: one module per connector and per format, as typed rows."""
