"""Applications: notebooks (INTERACTIVE), and code of notes that runs apart (STREAMING).

``applications`` manages them. It loads SQL, so pages import ``model`` alone until it is needed.
"""
