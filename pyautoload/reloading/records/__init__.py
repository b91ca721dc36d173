"""Records: what is kept of each loaded module: its code, its source, what ran, and which files were read meanwhile.

The loader tells ``records`` of each module; all folders above read them.
"""
