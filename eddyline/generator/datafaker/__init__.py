"""Expressions of Datafaker, as the faker connector's tables write them."""
