"""IAM over the users, roles, groups and policies of the data directory.

The studio, the endpoint and the commands decide by the same entities, so that a right that is given
here counts everywhere.
"""
