"""Planning: from files that may have changed to what has to be reloaded, compiled before anything is touched.

``applying/`` and ``watching/`` call it. ``failures`` keeps what could not be applied so far.
"""
