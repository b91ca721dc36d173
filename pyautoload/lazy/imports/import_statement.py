"""An import statement of rewritten code: the object that binds its names when the statement is reached."""

from __future__ import annotations

import sys
from types import CodeType, FrameType

from pyautoload.lazy.imports.code_rewriting import FROM, Description, is_rewritten, text_of, with_statements
from pyautoload.lazy.imports.lazy_names import NOTHING, is_unresolved, names_of
from pyautoload.lazy.imports.single_import import Import

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from pyautoload.tree.lazy_policy import LazyPolicy

__all__ = ["Statement", "runnable"]


class Statement:
    """One import statement.

    Args:
        description: as ``code_rewriting`` gives it.
        policy: which imports stay eager.
    """

    __slots__ = ("description", "policy")

    def __init__(self, description: Description, policy: LazyPolicy) -> None:
        self.description = description
        self.policy = policy

    def __neg__(self) -> None:
        """The statement is reached: bind its names, where it stands."""
        frame = sys._getframe(1)
        names = frame.f_globals
        name = self._absolute_name(names)
        if name is None or not self._is_at_module_level(frame) or self._is_eager(name):
            self._execute(frame)
            return
        kind, line, _, _, attributes, bound = self.description
        place = (frame.f_code.co_filename, line)
        for local, attribute in zip(bound, attributes if kind == FROM else ("",), strict=True):
            _bind(names, local, Import(kind, name, attribute, names, place))

    def _is_at_module_level(self, frame: FrameType) -> bool:
        return frame.f_locals is frame.f_globals

    def _absolute_name(self, names: dict[str, Any]) -> str | None:
        """The module's absolute name; ``None`` where only the statement itself can say what is wrong with it."""
        _, _, level, name, _, _ = self.description
        if not level:
            return name
        package = names.get("__package__")
        if not isinstance(package, str) or package.count(".") < level - 1 or not package:
            return None
        for _ in range(level - 1):
            package = package.rpartition(".")[0]
        return f"{package}.{name}" if name else package

    def _is_eager(self, name: str) -> bool:
        policy = self.policy
        if not policy.except_for:
            return False
        kind, _, _, _, attributes, _ = self.description
        wanted = [f"{name}.{attribute}" for attribute in attributes] if kind == FROM else []
        return any(map(policy.is_eager, [name, *wanted]))

    def _execute(self, frame: FrameType) -> None:
        """Run the statement as it stands."""
        _, line, _, _, _, _ = self.description
        code = compile(
            "\n" * (line - 1) + text_of(self.description), frame.f_code.co_filename, "exec", dont_inherit=True
        )
        exec(code, frame.f_globals, frame.f_locals)


def _bind(names: dict[str, Any], local: str, imported: Import) -> None:
    value = imported.value_without_running()
    if value is NOTHING or is_unresolved(names, local):
        names_of(names).add(local, imported)
    else:
        names[local] = value


def runnable(code: CodeType, policy: LazyPolicy) -> CodeType:
    """Code that binds lazily what its import statements import.

    Args:
        code: from ``rewriting.rewritten``.
        policy: which imports stay eager.
    """
    return with_statements(code, lambda description: Statement(description, policy)) if is_rewritten(code) else code
