"""PyInstaller runs this for every program that imports PyAutoload; it looks for the names that are bound here."""

from PyInstaller.config import CONF  # type: ignore[import-untyped, import-not-found, unused-ignore]

from pyautoload.freezing.collecting import collected

hiddenimports, datas = collected(CONF.get("specpath"))
