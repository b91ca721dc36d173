"""What a module does to others while it is imported, and cannot be undone: it asks for a restart."""

from __future__ import annotations

import sys
from types import CodeType, ModuleType

from pyautoload.reloading.applying.rerun import Reruns
from pyautoload.reloading.code.nested import import_time_codes
from pyautoload.reloading.objects.library_containers import LibraryContainers
from pyautoload.reloading.records.record import Record
from pyautoload.reloading.records.records import Records
from pyautoload.reloading.restart import RestartNeeded

__all__ = ["check_can_run_again", "check_replaced"]


def check_can_run_again(record: Record) -> None:
    """Whether a module may do again what it did to the process while it was imported.

    Raises:
        RestartNeeded: it can neither be undone nor be done twice.
    """
    if record.outside and record.cleanups is None:
        line, what = next(iter(record.outside.items()))
        raise RestartNeeded(
            record.name, f"line {line} {what} while it is imported, which can neither be undone nor be done twice"
        )

    if "modules" in record.scanned().attributes and record.cleanups is None:
        entered = next((key for key in _below(record.name) if _is_alias(key)), None)
        if entered is not None:
            raise RestartNeeded(
                record.name, f"it enters {entered} into sys.modules, and what is there depends on what was loaded"
            )


def check_replaced(reruns: Reruns, records: Records, containers: LibraryContainers) -> None:
    """Who replaces something of others and keeps what was there has by now kept what it put there itself.

    Args:
        reruns: the modules that have run again.
        records: of all modules.
        containers: what libraries hold.

    Raises:
        RestartNeeded: a module that has run again does that.
    """
    for name, own in containers.own.items():
        _check_own(reruns, records, name, own)
    replaced = containers.replaced()
    if not replaced:
        return
    for name in reruns.all:
        record = records.get(name)
        if record is None or reruns.all[name].former.cleanups is not None:
            continue
        mentioned = {
            *record.scanned().attributes,
            *(item for c in (record.ran or {}).values() for item in c.co_names),
        }
        for attribute in replaced.keys() & mentioned:
            raise RestartNeeded(name, f"it replaces {replaced[attribute]}.{attribute} while it is imported")


def _check_own(reruns: Reruns, records: Records, name: str, own: dict[str, str]) -> None:
    """A module has put functions of its own in the place of a library's: is that so still, and safe to do again?"""
    rerun, record = reruns.all.get(name), records.get(name)
    if rerun is None or record is None or rerun.former.cleanups is not None:
        return
    _, stored_before = _attributes_of(rerun.former, rerun.former.code)
    read, stored = _attributes_of(record, rerun.code)
    for attribute, library in own.items():
        if attribute in stored_before - stored or attribute in read & (stored | stored_before):
            raise RestartNeeded(name, f"it replaces {library}.{attribute} while it is imported")


def _attributes_of(record: Record, code: CodeType | None) -> tuple[set[str], set[str]]:
    """The attributes that import-time code reads, or imports, and those that it stores."""
    import dis

    read, stored = set[str](), set[str]()
    codes = [*(import_time_codes(code) if code is not None else ()), *(record.ran or {}).values()]
    for item in (item for part in codes for item in dis.get_instructions(part)):
        if item.opname in ("LOAD_ATTR", "LOAD_METHOD", "IMPORT_FROM"):
            read.add(str(item.argval))
        elif item.opname == "STORE_ATTR":
            stored.add(str(item.argval))
    return read, stored


def _below(name: str) -> list[str]:
    return [key for key in list(sys.modules) if key.startswith(f"{name}.")]


def _is_alias(key: str) -> bool:
    """Whether a module was entered under a name that is not its own: ``requests.packages.idna`` is ``idna``."""
    module = sys.modules.get(key)
    return isinstance(module, ModuleType) and module.__dict__.get("__name__", key) != key
