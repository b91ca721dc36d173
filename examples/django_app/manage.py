"""Django's commands: ``python manage.py migrate``."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from django.core.management import execute_from_command_line

from pyautoload import AutoLoader

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

if __name__ == "__main__":
    AutoLoader.from_config(Path(__file__).parent).setup()
    execute_from_command_line(sys.argv)
