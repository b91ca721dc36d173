"""Type stubs for namespaces: what ``from myapp.models import User`` means, for type checkers and editors.

A checker reads files and runs nothing, so it cannot know that ``myapp/models/user.py`` is ``myapp.models.User``. An
``__init__.pyi`` in the namespace's own directory tells it so. Only namespaces get one: modules speak for themselves.

The command line calls this, and users ``generate``, ``check`` and ``write``.
"""

from __future__ import annotations

from pyautoload.stubs.generate import Stubs, generate
from pyautoload.stubs.stub_files import Changes, check, write

__all__ = ["Changes", "Stubs", "check", "generate", "write"]
