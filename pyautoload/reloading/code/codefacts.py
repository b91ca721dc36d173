"""What a module's code imports and uses, read from its code object: cheap enough for ten thousand modules."""

from __future__ import annotations
import __future__

import re
from types import CodeType
from typing import NamedTuple

from pyautoload.reloading.code.codeimports import ImportFact, ImportReader, note_chain
from pyautoload.reloading.code.nested import deferred_codes, import_time_codes
from pyautoload.reloading.code.opcodes import (
    ATTR_SHIFT,
    BUILD_CLASS,
    GLOBAL_SHIFT,
    IMPORT_FROM,
    IMPORT_NAME,
    LOAD_ATTR,
    LOAD_DICT_OR_GLOBALS,
    LOAD_GLOBAL,
    LOAD_METHOD,
    LOAD_NAME,
    OPMAP,
    POP_TOP,
    PUSH_NULL,
    STORE_ATTR,
    STORE_GLOBAL,
    STORE_NAME,
    constant,
    instructions_of,
)

__all__ = ["CodeFacts", "dotted_texts", "scan"]

_LOADS = frozenset({LOAD_NAME, LOAD_DICT_OR_GLOBALS})
_STORES = frozenset({STORE_NAME, STORE_GLOBAL})
_CALLS = frozenset(
    code
    for name, code in OPMAP.items()
    if name in {"CALL", "CALL_KW", "CALL_FUNCTION", "CALL_FUNCTION_KW", "CALL_FUNCTION_EX", "CALL_METHOD"}
)
_CO_FUTURE_ANNOTATIONS = __future__.annotations.compiler_flag
_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_DOTS = frozenset({LOAD_ATTR, LOAD_METHOD, STORE_ATTR})


class CodeFacts(NamedTuple):
    """What is known of one module's code.

    Attributes:
        imports: every import, those in functions too.
        loads: the global names that import-time code reads, those in annotations too.
        attributes: the attributes that import-time code reads or calls.
        chains: dotted reads of import-time code, and names that it sets so. Example: ``("myapp", "models", "User")``
        late_chains: the same of deferred code.
        bare: those of ``loads`` that are not followed by a dot: a module may be given away so, and anything be taken
            from it: ``getattr(settings, name)``.
        active: those of ``loads`` that are read for more than to be a base class.
        keeps_calls: whether import-time code calls something (that classes are built does not count) and uses the
            outcome: decorators, ``X = f()``, but not a plain ``f()``.
        own: the names that import-time code reads and the module itself binds, imports set aside.
        dotted: texts that may be the dotted name of a module: ``app.config.from_object("myapp.settings")``.
    """

    imports: tuple[ImportFact, ...]
    loads: tuple[str, ...]
    attributes: tuple[str, ...]
    chains: tuple[tuple[str, ...], ...]
    late_chains: tuple[tuple[str, ...], ...]
    bare: tuple[str, ...]
    active: tuple[str, ...]
    keeps_calls: bool
    own: tuple[str, ...]
    dotted: tuple[str, ...]


def dotted_texts(code: CodeType) -> list[str]:
    """The constants of a code object that may be dotted names of modules."""
    return [const for const in code.co_consts if type(const) is str and "." in const[1:-1] and _DOTTED.fullmatch(const)]


class _Scanner(ImportReader):
    def __init__(self, package: str) -> None:
        super().__init__(package)
        self.loads: set[str] = set()
        self.attributes: set[str] = set()
        self.chains: set[tuple[str, ...]] = set()
        self.bare: set[str] = set()
        self.active: set[str] = set()
        self.keeps_calls = False
        # Global names in annotations that are not evaluated where they stand: decorators and base classes may do that.
        self.annotated: set[str] = set()
        # Names that module level binds by other statements than imports.
        self.bound: set[str] = set()
        self.dotted: list[str] = []

    def run(self, code: CodeType) -> None:
        for part in import_time_codes(code):
            self._import_time(part)
            self._annotations(part)
        self.imported = {fact.local for fact in self.imports if fact.local is not None}
        for function in deferred_codes(code):
            self.read_function(function)

    def _import_time(self, code: CodeType) -> None:
        instructions = instructions_of(code)
        names = code.co_names
        self.dotted += dotted_texts(code)
        if "getattr" in names or "hasattr" in names:
            self.attributes.update(item for item in code.co_consts if isinstance(item, str) and item.isidentifier())
        classes = kept = 0
        in_bases = False
        for index, (op, arg) in enumerate(instructions):
            if op in _LOADS:
                note_chain(instructions, index, names, names[arg], self.chains)
                self._note_load(instructions, index, names[arg], in_bases)
            elif op == LOAD_GLOBAL:
                name = names[arg >> GLOBAL_SHIFT]
                note_chain(instructions, index, names, name, self.chains)
                self._note_load(instructions, index, name, in_bases)
            elif op == LOAD_ATTR:
                self.attributes.add(names[arg >> ATTR_SHIFT])
            elif op == LOAD_METHOD:
                self.attributes.add(names[arg])
            elif op == IMPORT_NAME:
                self.read_import(code, instructions, index, at_module_level=code.co_name == "<module>")
            elif op in _STORES:
                if instructions[index - 1][0] != IMPORT_FROM and instructions[index - 1][0] != IMPORT_NAME:
                    self.bound.add(names[arg])
            elif op == BUILD_CLASS:
                classes += 1
                in_bases = True
            elif op == PUSH_NULL and not _belongs_to_class(instructions, index):
                in_bases = False  # a call among the bases: `class A(mixin(B))`
            elif op in _CALLS:
                in_bases = False
                kept += not _is_dropped(instructions, index)
        self.keeps_calls = self.keeps_calls or kept > classes

    def _note_load(self, instructions: list[tuple[int, int]], index: int, name: str, in_bases: bool) -> None:
        self.loads.add(name)
        if index + 1 < len(instructions) and instructions[index + 1][0] not in _DOTS:
            self.bare.add(name)
        if not in_bases:
            self.active.add(name)

    def _annotations(self, code: CodeType) -> None:
        """Read annotations that were put off: into strings by ``__future__``, into functions from Python 3.14 on."""
        for const in code.co_consts:
            if isinstance(const, CodeType) and const.co_name == "__annotate__":
                self._put_off(const)
        if not code.co_flags & _CO_FUTURE_ANNOTATIONS:
            return
        instructions = instructions_of(code)
        for index, instruction in enumerate(instructions[:-1]):
            const = constant(code, instruction)
            if type(const) is str and instructions[index + 1][0] in _LOADS:
                if code.co_names[instructions[index + 1][1]] == "__annotations__":
                    self._spelled(const)
            elif type(const) is tuple and _makes_function(code, instructions[index + 1 : index + 5]):
                for text in const[1::2]:
                    if type(text) is str:
                        self._spelled(text)

    def _put_off(self, code: CodeType) -> None:
        names, instructions = code.co_names, instructions_of(code)
        for index, (op, arg) in enumerate(instructions):
            if op == LOAD_GLOBAL or op in _LOADS:
                name = names[arg >> GLOBAL_SHIFT if op == LOAD_GLOBAL else arg]
                self.annotated.add(name)
                note_chain(instructions, index, names, name, self.chains)
        # Annotations in quotes, or by `__future__`; the names of parameters stand among them, and do no harm.
        for const in code.co_consts:
            if type(const) is str:
                self._spelled(const)

    def _spelled(self, annotation: str) -> None:
        for dotted in _DOTTED.findall(annotation):
            chain = tuple(dotted.split("."))
            self.annotated.add(chain[0])
            if len(chain) > 1:
                self.chains.add(chain)


def _makes_function(code: CodeType, instructions: list[tuple[int, int]]) -> bool:
    return any(isinstance(constant(code, item), CodeType) for item in instructions)


def _belongs_to_class(instructions: list[tuple[int, int]], index: int) -> bool:
    return index > 0 and instructions[index - 1][0] == BUILD_CLASS


def _is_dropped(instructions: list[tuple[int, int]], index: int) -> bool:
    return index + 1 < len(instructions) and instructions[index + 1][0] == POP_TOP


def scan(code: CodeType, package: str) -> CodeFacts:
    """The facts of a module's code.

    Args:
        code: the module's code object.
        package: what its relative imports start from (``__package__``).
    """
    scanner = _Scanner(package)
    scanner.run(code)
    own = tuple(name for name in scanner.loads & scanner.bound if name[:2] != "__")
    return CodeFacts(
        tuple(scanner.imports),
        tuple(scanner.loads | scanner.annotated),
        tuple(scanner.attributes),
        tuple(scanner.chains),
        tuple(scanner.late_chains),
        tuple(scanner.bare),
        tuple(scanner.active | scanner.annotated),
        scanner.keeps_calls,
        own,
        tuple(scanner.dotted),
    )
