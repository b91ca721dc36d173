"""Applying: carries out a plan, all of it or nothing. Only ``reloader`` calls it.

``reload_pass`` is one reload; ``engine`` tries a plan, with more modules where it must; ``transaction`` patches bodies
and lets modules run again (``rerun``), whose old objects then take what the new ones have (``takeover/``).
"""
