"""Objects: functions, classes and values that live on over a reload, each step noted in the ``journal``.

``applying/`` calls it, and the folders between ask ``safe_inspection`` and ``values`` what an object is. It knows no
modules.
"""
