"""Public applications under ``pyautoload serve``, unchanged: edits of all kinds, each answer beside a fresh process's.

``python -m benchmarks.applications flaskr=DIRECTORY microblog=DIRECTORY ...`` takes checkouts that are there already,
with what they need installed for the Python that runs this. Nothing of them is kept here but the words that the edits
replace: see ``recipes.py``.
"""
