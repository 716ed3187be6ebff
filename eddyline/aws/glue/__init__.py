"""AWS Glue's Data Catalog over the catalog that SQL uses: a table of one is a table of the other.

Databases, tables and their versions, partitions, user-defined functions and connections are here.
The operations of jobs, crawlers and the rest of Glue are refused by name.
"""
