"""What is measured, one contender a file; a function runs in a fresh process and returns a dict of figures.

These files import nothing that a contender would have to import itself, so that nobody finds its work done.
"""
