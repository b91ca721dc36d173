"""A wheel is looked into before it is installed: whether it can be read, and which import names it provides."""

from __future__ import annotations

import os
import zipfile

from pyautoload.sources.regular import open_regular
from pyautoload.thirdparty.load_errors import InstallRefused

__all__ = ["provided_by_wheel"]


def provided_by_wheel(path: str) -> frozenset[str]:
    """The top-level import names of a wheel, from the list of its files.

    Raises:
        InstallRefused: it is not a file, or damaged.
    """
    try:
        descriptor, _ = open_regular(path)
        with os.fdopen(descriptor, "rb") as opened, zipfile.ZipFile(opened) as wheel:
            names = wheel.namelist()
    except Exception as error:  # a damaged archive: zipfile, struct and the system have errors of their own
        raise InstallRefused(f"{path} is not a wheel that can be read: {error or type(error).__name__}") from error
    tops = {name.split("/")[0] for name in names if "/" in name or name.endswith((".py", ".so", ".pyd"))}
    stems = {top.partition(".")[0] for top in tops if not top.endswith((".dist-info", ".data"))}
    return frozenset(stem for stem in stems if stem.isidentifier())
