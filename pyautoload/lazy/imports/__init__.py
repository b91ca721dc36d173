"""Lazy imports of managed files: an import statement at the top binds its names, and the import is done at first use.

The semantics are those of PEP 810. On Python 3.15 the interpreter does it (``pep_810``). Before, three parts do:

- ``code_rewriting``: import statements in a module's code object become calls of objects, in place, byte for byte;
- ``import_statement``: such an object binds the names of one statement: at once where nothing would run, else lazily;
- ``lazy_names``: a lazy name is a key of the module's dict that resolves itself when it is looked up; ``module_dict``
  makes the dict an ordinary one again.

Which files and which imports are lazy is said in ``tree/lazy_policy.py``. ``importing/`` calls this
when it loads a file.
"""
