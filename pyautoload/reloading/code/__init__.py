"""Code: what code objects say: imports, names that are used, and how two versions differ. Nothing is run or changed.

Every folder above may call it.
"""
