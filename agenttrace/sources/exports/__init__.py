"""Files that other tools of observability write: one module each, with its ``SOURCE``.

Nobody knows where they lie, so they have no roots: a path is given.
"""
