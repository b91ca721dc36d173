"""Names that load on first use, for packages that want no loader: ``exports``, ``module`` and what reads them.

``exports`` is all that ``import pyautoload`` itself needs, so everything else here loads on first use, too. Packages of
users call this, and ``pyautoload/__init__.py``; it knows no loader.
"""

from __future__ import annotations

from pyautoload.lazy.exports import exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pyautoload.lazy.convention import exports_by_convention as exports_by_convention
    from pyautoload.lazy.export_errors import ExportError as ExportError
    from pyautoload.lazy.export_errors import StatementError as StatementError
    from pyautoload.lazy.export_registry import Registry as Registry
    from pyautoload.lazy.export_registry import registry as registry
    from pyautoload.lazy.lazy_module import module as module
    from pyautoload.lazy.stub import exports_from_stub as exports_from_stub

__getattr__, __dir__, __all__ = exports(
    __name__,
    """
    from .convention import exports_by_convention
    from .lazy_module import module
    from .export_errors import ExportError, StatementError
    from .export_registry import Registry, registry
    from .stub import exports_from_stub
    """,
)
__all__ += ["exports"]
