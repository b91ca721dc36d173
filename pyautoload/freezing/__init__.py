"""Programs that are frozen into one file or directory: what PyInstaller and Nuitka have to be told of.

These two call it, while they build; a program that runs does not.
"""

from __future__ import annotations

import os

__all__ = ["hook_directories", "nuitka_configuration"]


def hook_directories() -> list[str]:
    """Where PyInstaller finds the hook for PyAutoload: the entry point ``pyinstaller40``."""
    return [os.path.dirname(__file__)]


def nuitka_configuration() -> str:
    """The file for Nuitka's ``--user-package-configuration-file``: what PyAutoload itself imports when it is used."""
    return os.path.join(os.path.dirname(__file__), "pyautoload.nuitka-package.config.yml")
