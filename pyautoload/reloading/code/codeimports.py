"""Imports in code objects: those of a module, and what its functions import and reach through what was imported."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import CodeType
from typing import NamedTuple

from pyautoload.reloading.code.opcodes import (
    ATTR_SHIFT,
    GLOBAL_SHIFT,
    IMPORT_FROM,
    IMPORT_NAME,
    IMPORT_SHIFT,
    LOAD_ATTR,
    LOAD_GLOBAL,
    LOAD_METHOD,
    OPMAP,
    STORE_ATTR,
    STORE_GLOBAL,
    STORE_NAME,
    constant,
    instructions_of,
)
from pyautoload.syntax.relative_imports import absolute_module

__all__ = ["ImportFact", "ImportReader", "note_chain"]

# Local variables of functions. Some instructions load two of them; the second one comes to lie on top.
_LOAD_LOCALS = frozenset(code for name, code in OPMAP.items() if name.startswith("LOAD_FAST") or name == "LOAD_DEREF")
_LOAD_PAIRS = frozenset(code for name, code in OPMAP.items() if name.count("LOAD_FAST") > 1)
_STORE_LOCALS = frozenset(OPMAP[name] for name in ("STORE_FAST", "STORE_DEREF"))
_STORES = frozenset({STORE_NAME, STORE_GLOBAL})


class ImportFact(NamedTuple):
    """One import of a module's code.

    Attributes:
        module: the absolute name of the module that the statement names.
        attribute: the name taken from it, ``"*"`` for all, ``None`` where the module itself is imported.
        local: the global name that is bound, ``None`` in a function.
    """

    module: str
    attribute: str | None
    local: str | None


class ImportReader:
    """Collects the imports of a module's code.

    Args:
        package: what its relative imports start from.
    """

    def __init__(self, package: str) -> None:
        self.package = package
        self.imports: list[ImportFact] = []
        # Global names that imports bind: only those can lead to other modules.
        self.imported: set[str] = set()
        # Dotted reads of functions.
        self.late_chains: set[tuple[str, ...]] = set()

    def read_import(
        self, code: CodeType, instructions: list[tuple[int, int]], index: int, *, at_module_level: bool
    ) -> None:
        """Read one import.

        Args:
            code: in which it stands.
            instructions: of the code.
            index: of the import among these.
            at_module_level: whether what it binds are global names.
        """
        level = constant(code, instructions[index - 2])
        wanted = constant(code, instructions[index - 1])
        full = code.co_names[instructions[index][1] >> IMPORT_SHIFT]
        name = absolute_module(full, level if isinstance(level, int) else 0, self.package)
        if name is None:
            return
        if isinstance(wanted, tuple) and wanted == ("*",):
            self.imports.append(ImportFact(name, "*", None))
            return
        if isinstance(wanted, tuple):
            self._from_import(code, instructions, index + 1, name, at_module_level)
            return
        local = None
        for op, arg in instructions[index + 1 : index + 12]:
            if op in _STORES:
                local = code.co_names[arg]
                break
            if op == IMPORT_NAME:
                break
        self.imports.append(ImportFact(name, None, local if at_module_level else None))

    def _from_import(
        self, code: CodeType, instructions: list[tuple[int, int]], index: int, module: str, at_module_level: bool
    ) -> None:
        while index + 1 < len(instructions) and instructions[index][0] == IMPORT_FROM:
            attribute = code.co_names[instructions[index][1]]
            op, arg = instructions[index + 1]
            local = code.co_names[arg] if op in _STORES and (at_module_level or op == STORE_GLOBAL) else None
            self.imports.append(ImportFact(module, attribute, local))
            index += 2

    def read_function(self, code: CodeType, outer: Mapping[str, str] | None = None) -> None:
        """Read a function and those in it.

        Args:
            code: the function's.
            outer: variables of the functions around it that hold modules. Example: ``{"tools": "myapp.tools"}``
        """
        names = code.co_names
        modules = dict(outer or {})
        imports = IMPORT_NAME in _raw(code)[::2]
        if imports or modules or (len(names) > 1 and not self.imported.isdisjoint(names)):
            instructions = instructions_of(code)
            if imports:
                for index, (op, _) in enumerate(instructions):
                    if op == IMPORT_NAME:
                        self.read_import(code, instructions, index, at_module_level=False)
                modules.update(self._local_modules(code, instructions))
            for index, (op, arg) in enumerate(instructions):
                if op == LOAD_GLOBAL:
                    note_chain(instructions, index, names, names[arg >> GLOBAL_SHIFT], self.late_chains)
                elif modules and op in _LOAD_LOCALS:
                    module = modules.get(_variable(code, op, arg))
                    if module is not None:
                        self._follow_local(instructions, index, names, module)
        for const in code.co_consts:
            if isinstance(const, CodeType):
                self.read_function(const, modules)

    def _local_modules(self, code: CodeType, instructions: list[tuple[int, int]]) -> dict[str, str]:
        """What the imports of a function bind to its variables, as far as that may be a module."""
        found: dict[str, str] = {}
        for index, (op, arg) in enumerate(instructions):
            if op != IMPORT_NAME:
                continue
            full = code.co_names[arg >> IMPORT_SHIFT]
            level = constant(code, instructions[index - 2])
            name = absolute_module(full, level if isinstance(level, int) else 0, self.package)
            if name is None:
                continue
            at = index + 1
            if isinstance(constant(code, instructions[index - 1]), tuple):
                while at + 1 < len(instructions) and instructions[at][0] == IMPORT_FROM:
                    if instructions[at + 1][0] in _STORE_LOCALS:
                        taken = code.co_names[instructions[at][1]]
                        found[_variable(code, *instructions[at + 1])] = f"{name}.{taken}"
                    at += 2
                continue
            # `import a.b as c` goes to `b` before it stores.
            is_renamed = instructions[at][0] == IMPORT_FROM
            stored = next((item for item in instructions[at : at + 12] if item[0] in _STORE_LOCALS), None)
            if stored is not None:
                found[_variable(code, *stored)] = name if is_renamed else name.partition(".")[0]
        return found

    def _follow_local(
        self, instructions: list[tuple[int, int]], index: int, names: tuple[str, ...], module: str
    ) -> None:
        for op, arg in instructions[index + 1 : index + 6]:
            if op not in (LOAD_ATTR, LOAD_METHOD):
                return
            attribute = names[arg >> ATTR_SHIFT if op == LOAD_ATTR else arg]
            self.imports.append(ImportFact(module, attribute, None))
            module = f"{module}.{attribute}"


def note_chain(
    instructions: list[tuple[int, int]], index: int, names: tuple[str, ...], name: str, into: set[tuple[str, ...]]
) -> None:
    """Note a dotted read, if a name that is loaded is the beginning of one.

    Args:
        instructions: of the code.
        index: of the one that loads the name.
        names: of the code.
        name: that is loaded.
        into: takes what is read. Example: ``("myapp", "models", "User")``
    """
    chain = [name]
    for op, arg in instructions[index + 1 : index + 6]:
        if op == LOAD_ATTR:
            chain.append(names[arg >> ATTR_SHIFT])
        elif op in (LOAD_METHOD, STORE_ATTR):
            chain.append(names[arg])
        else:
            break
    if len(chain) > 1:
        into.add(tuple(chain))


def _raw(code: CodeType) -> bytes:
    """The instructions as they are now; some may be specialised, those for imports never are."""
    return getattr(code, "_co_code_adaptive", None) or code.co_code


def _variable(code: CodeType, op: int, arg: int) -> str:
    """The local variable that an instruction means."""
    if op in _LOAD_PAIRS:
        arg &= 15
    if sys.version_info >= (3, 11):
        cells = [name for name in code.co_cellvars if name not in code.co_varnames]
        names = [*code.co_varnames, *cells, *code.co_freevars]
    else:
        derefs = (OPMAP["LOAD_DEREF"], OPMAP["STORE_DEREF"])
        names = [*code.co_cellvars, *code.co_freevars] if op in derefs else list(code.co_varnames)
    return names[arg] if arg < len(names) else ""
