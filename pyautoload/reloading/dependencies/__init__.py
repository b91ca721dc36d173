"""Dependencies: who imports whom, by which names, and who used what has changed.

``applying/`` and ``watching/`` ask ``dependency_graph`` and ``affected``; the rest of this folder serves these.
"""
