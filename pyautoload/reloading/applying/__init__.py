"""Applying: carries out a plan, all of it or nothing. Only ``reloader`` calls it.

``reload_pass`` is one reload; ``engine`` tries a plan, with more modules where it must; ``transaction`` patches bodies
and lets modules run again (``rerun``), whose old objects then take what the new ones have (``takeover/``);
``name_rebinding`` is for those who only hold a name, ``irreversible_effects`` says when it cannot be done.
"""
