"""Takeover: a module's code runs again, and old objects stay who they are. Only ``applying`` calls it.

``takeover`` has the order of the steps. While the code runs: classes when their statements end (``class_statements``,
``class_attributes``), other values when they are bound (``name_binding``). When it has run: ``module_values``, then
functions, and ``name_changes`` says what is different now. What all of them know is in ``takeover_state``.
"""
