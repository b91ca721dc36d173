"""Warm processes: a program starts from a process that has imported its libraries already.

A **template** (``template``) is a process that imports the libraries of a program, one by one under a guard
(``preload``, ``guard``), and nothing of the program itself. A **child** is forked from it and made to look like a
process that was just started (``child``, ``streams``, ``script``, ``ending``). A **keeper** (``keeper``) is the child's
parent: it tells how the child ended, and ends it when nobody waits for it any more. ``owner`` starts templates and asks
for children; where it gets none, a cold process does the same, slower. A library that cannot be in a template is left
out: the child imports it itself.
"""
