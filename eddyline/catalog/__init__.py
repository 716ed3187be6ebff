"""What things are called: databases, tables and views, and the options of connectors."""
