"""What runs inside the Python of notes: an IPython kernel with PyFlink's names over our engine."""
