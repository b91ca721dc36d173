"""AutoLoader: configuration and delegation. What is done is done in the parts."""

from __future__ import annotations

import os
import sys

from pyautoload import inherited_loaders, known_loaders, log
from pyautoload.callbacks import Callbacks
from pyautoload.errors import ReloadingDisabled, ReloadingUnsupported, SetupError, SetupRequired
from pyautoload.frames.origin import origin_of_caller
from pyautoload.importing.binder import Binder
from pyautoload.lifecycle import Lifecycle
from pyautoload.tree.globs import flattened
from pyautoload.tree.inflector import Inflector, InflectorProtocol, PackageInflector
from pyautoload.tree.managed_paths import Config, check_conflicts
from pyautoload.tree.managed_tree import ManagedTree
from pyautoload.tree.registry import ModuleRegistry

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing.pool import Pool
    from types import ModuleType
    from typing import Any, TypeAlias

    from pyautoload.bundles.builder import BuiltBundle
    from pyautoload.cluster.pools import PoolShipment
    from pyautoload.importing.explicit_loading import ExplicitLoading
    from pyautoload.profiling import Profile
    from pyautoload.reloading.gate import Pass
    from pyautoload.reloading.reloader import Reloader
    from pyautoload.reloading.result import ReloadResult
    from pyautoload.reloading.watching.status import Status
    from pyautoload.sources import Source
    from pyautoload.tree.introspection import Introspection
    from pyautoload.warm.verifier import Verification, Verifier

    Pattern: TypeAlias = str | os.PathLike[str]
    Patterns: TypeAlias = Pattern | Iterable[Pattern]

__all__ = ["AutoLoader"]


class AutoLoader:
    """Makes the files below its roots importable by convention, and their names available as attributes.

    Args:
        base_path: the first root, resolved against the working directory now; further ones come by ``push_dir``.
        top_level: the root's namespace; the directory's name by default, ``""`` for top-level modules.
        inflector: any object with ``camelize(stem, path)``.
        tag: what log records of this loader are marked with.
        bundle: load from the file that ``build_bundle()`` wrote: ``True`` or ``"checked"`` compares directories and
            files with it, ``"trusted"`` takes it as it is; a path, or ``"trusted:path"``, names another place than the
            default one. ``None`` leaves it to the environment variable ``PYAUTOLOAD_BUNDLE``.
        conventions: whether names follow from files below ``base_path``. Without that imports mean what they mean
            without a loader: its files are loaded, watched and reloaded, and nothing else is different.

    Raises:
        SetupError: ``base_path`` is not a directory, or ``top_level`` no dotted name.
        ConflictError: another loader manages that directory.
    """

    def __init__(
        self,
        base_path: str | os.PathLike[str] | None = None,
        top_level: str | ModuleType | None = None,
        *,
        inflector: InflectorProtocol | None = None,
        tag: str | None = None,
        bundle: bool | str | os.PathLike[str] | None = None,
        conventions: bool = True,
    ) -> None:
        self.config = Config()
        self.inflector: InflectorProtocol = inflector if inflector is not None else Inflector()
        self.callbacks = Callbacks()
        self.tag = tag or (os.path.basename(os.path.abspath(base_path)) if base_path is not None else f"{id(self):x}")
        self.tree = ManagedTree(self.config, ModuleRegistry(), self.tag)
        self.binder = Binder(self.tree, self.inflector, self.callbacks)
        self.lifecycle = Lifecycle(self.binder, bundle)
        # The line that made it.
        self.origin = origin_of_caller()
        # What reloads, from `enable_reloading()` to `disable_reloading()`.
        self.reloader: Reloader | None = None
        self._reload_listeners: list[Callable[[ReloadResult], Any]] = []
        # How it watched last, for one that takes over.
        self.last_options: dict[str, Any] | None = None
        # What verifies reloads, if that was asked for, and who is told of it.
        self._verifier: Verifier | None = None
        self._verification_listeners: list[Callable[[Verification], Any]] = []
        known_loaders.note_configured(self)
        if base_path is not None:
            self.push_dir(base_path, top_level, conventions=conventions)
        elif top_level is not None:
            raise SetupError("top_level= is the namespace of base_path, which is missing: give it, or use push_dir()")

    @classmethod
    def for_package(cls, *, inflector: InflectorProtocol | None = None) -> AutoLoader:
        """The loader of a package, for use in its ``__init__.py``.

        The root is the caller's directory, the namespace and the tag are its ``__name__``. A second call from the same
        file gives the same loader, and so does a loader that is set up for this directory already: by the program, or
        by the pytest plugin from ``[tool.pyautoload]``. The package's ``version.py`` is expected to define
        ``VERSION``, or ``__version__``. A ``__getattr__`` of the package's own must stand above the call: the one that
        comes last is asked.
        """
        names = sys._getframe(1).f_globals
        file, name = names.get("__file__"), names.get("__name__")
        if not file or name not in sys.modules or "__path__" not in names:
            where = f"{name} in {file}" if file else "what is typed at a prompt"
            what = "is run as a program" if name == "__main__" and file else "is not a package"
            raise SetupError(
                f"for_package() is for the __init__.py of a package, and {where} {what}: call it in the __init__.py "
                f'and import that package here, or make the loader here with AutoLoader("directory")'
            )
        file = os.path.abspath(file)
        known: AutoLoader | None = known_loaders.for_file(file)
        if known is not None:
            return known
        directory = os.path.dirname(file)
        version = os.path.join(directory, "version.py")
        over: AutoLoader | None = known_loaders.for_root(directory, name)
        if over is not None and over.adopt_package(inflector, version):
            known_loaders.note_file(file, over)
            return over
        loader = cls(inflector=inflector or PackageInflector(version), tag=name)
        loader.push_dir(directory, sys.modules[name])
        known_loaders.note_file(file, loader)
        return loader

    @classmethod
    def from_config(cls, path: str | os.PathLike[str] | None = None, **options: Any) -> AutoLoader:
        """The loader that ``[tool.pyautoload]`` of a ``pyproject.toml`` describes, not set up yet.

        While a loader that was made from that file, or for the same roots, is set up, this gives that one: a program,
        its tests and the pytest plugin can all ask for it.

        Args:
            path: the file, or a directory in the project; by default the working directory.
            options: whatever ``AutoLoader`` takes besides its root.

        Raises:
            SetupError: there is no such table, an unknown key or a wrong value in it, or a root that does not exist.
            ConflictError: another loader manages one of the roots.
        """
        from pyautoload import settings

        found = settings.load(path)
        file = found.file
        assert file is not None
        known: AutoLoader | None = known_loaders.for_file(file) or known_loaders.with_roots(found.namespaces_of_roots())
        if known is not None:
            return known
        loader = found.apply(cls(**{"tag": found.tag, "bundle": found.bundle, **options}))
        # Only then: one that is dropped before claims nothing.
        loader.callbacks.setup.append(lambda: known_loaders.note_file(file, loader))
        return loader

    def __repr__(self) -> str:
        roots = ", ".join(
            f"{root.path} as {root.namespace or 'top level'}" if root.conventions else f"{root.path} (plain)"
            for root in self.config.roots.values()
        )
        state = "set up" if self.is_set_up else "not set up"
        return f"<AutoLoader {self.tag}: {roots or 'no roots'}; {state}, {len(self.loaded())} loaded>"

    @property
    def registry(self) -> ModuleRegistry:
        """What is known of each module name."""
        return self.tree.registry

    # Configuration

    def push_dir(
        self,
        path: str | os.PathLike[str],
        namespace: str | ModuleType | None = None,
        *,
        source: Source | None = None,
        conventions: bool = True,
    ) -> AutoLoader:
        """Add a root.

        Args:
            path: the directory, resolved against the working directory now.
            namespace: a dotted name, a module, ``""`` for top-level modules; ``None`` for the directory's name.
            source: what holds the files at and below ``path``, where that is neither the file system nor a zip file.
            conventions: whether names follow from files; without that imports mean what they mean without a loader,
                and there is no namespace.

        Raises:
            SetupError: not a directory; not a module or name; a module that is not in ``sys.modules`` under its name.
            ConflictError: another loader manages that directory.
        """
        before = self.config.roots
        root = self.config.add_root(path, namespace, source, conventions=conventions)
        for former in known_loaders.make_room(root.path, self):
            self.lifecycle.inherit(former.registry)
            if known_loaders.gives_way(former):
                self._take_over(former)
        try:
            check_conflicts(root, self.config, self._others(), around=False)
            if self.is_set_up:
                self._start()
        except SetupError:
            self.config.use_roots(before)
            if self.is_set_up:
                self.lifecycle.look_anew()
            raise
        return self

    def _take_over(self, former: AutoLoader) -> None:
        """Go on where a loader stops that made the program live: with its roots, what it was told, and who listens."""
        for root in former.config.roots.values():
            if root.path not in self.config.roots:
                self.config.add_root(root.path, None, conventions=False)
        self._reload_listeners += former._reload_listeners
        if former.last_options is not None:
            self.enable_reloading(**former.last_options)

    def ignore(self, *globs: Patterns) -> AutoLoader:
        """Leave paths to others: they are not loaded, not eager loaded, not listed. ``import`` finds them as ever.

        Args:
            globs: patterns and paths, one by one or in lists. A relative one is tried against each root and the
                working directory, a bare name against each path component; ``**`` matches any number of directories.
        """
        self.config.ignored.add(flattened(globs))
        return self._reconfigured()

    def collapse(self, *globs: Patterns) -> AutoLoader:
        """Take directories as mere organisation: what lies in them belongs to the namespace above. See ``ignore``."""
        self.config.collapsed.add(flattened(globs))
        return self._reconfigured()

    def do_not_eager_load(self, *globs: Patterns) -> AutoLoader:
        """Leave paths out of ``eager_load()``; they are loaded when they are used. See ``ignore`` for the patterns."""
        self.config.not_eager.add(flattened(globs))
        return self

    def lazy_imports(self, *globs: Patterns, except_for: Iterable[str] = ()) -> AutoLoader:
        """Let import statements at the top of managed files bind their names lazily: to be called before ``setup()``.

        What is imported is loaded when the name is first used, as with ``lazy import`` of Python 3.15. Called again,
        it adds to what was said before. Nothing is lazy on Pythons before 3.15 that run without the GIL.

        Args:
            globs: the files, as for ``ignore``; all files without any.
            except_for: imported modules that stay eager, with all below them.

        Raises:
            SetupError: the loader is set up already, or ``except_for`` holds what is not a dotted name.
        """
        if self.is_set_up:
            raise SetupError("lazy_imports() comes too late: call it before setup(), while nothing is loaded")
        self.config.make_lazy(flattened(globs), except_for)
        return self

    def inflect(self, mapping: Mapping[str, str]) -> AutoLoader:
        """Give stems names of their own: ``{"html_parser": "HTMLParser"}``. The whole stem must match.

        Raises:
            SetupError: the loader has an inflector without ``inflect``, or a key or value is not a string.
        """
        inflect = getattr(self.inflector, "inflect", None)
        if inflect is None:
            raise SetupError(f"{self.inflector!r} has no inflect(): give the rule to that inflector itself")
        for stem, name in mapping.items():
            if not isinstance(stem, str) or not isinstance(name, str):
                raise SetupError(f"inflect() takes strings, a stem and its name, not {stem!r}: {name!r}")
        inflect(mapping)
        return self

    def dirs(self, namespaces: bool = False, ignored: bool = False) -> list[str] | Mapping[str, str]:
        """The roots.

        Args:
            namespaces: as a mapping, root → namespace.
            ignored: those also that a pattern ignores.
        """
        left_out = frozenset() if ignored else self.config.ignored_roots()
        roots = {path: root.namespace for path, root in self.config.roots.items() if path not in left_out}
        from types import MappingProxyType

        return MappingProxyType(roots) if namespaces else list(roots)

    @staticmethod
    def all_dirs() -> list[str]:
        """The roots of all loaders of this process."""
        return [path for loader in known_loaders.all_loaders() for path in loader.dirs()]

    # Life

    def setup(self) -> AutoLoader:
        """Begin: list the first level and install the finder. Called again, it does nothing.

        Raises:
            ConflictError: two files or two loaders claim the same; then nothing is installed.
            SetupError: the namespace of a root cannot be one.
        """
        if not self.is_set_up:
            self._start()
        return self

    @property
    def is_set_up(self) -> bool:
        """Whether ``setup()`` has been called."""
        return self.lifecycle.is_set_up

    def _start(self) -> None:
        first_time = not self.is_set_up
        try:
            for root in self.config.roots.values():
                check_conflicts(root, self.config, self._others(), around=True)
            self.lifecycle.start()
        except BaseException:
            if first_time:
                known_loaders.forget(self)  # it claims nothing, for as long as somebody keeps it, or the error
            raise
        known_loaders.note_set_up(self)
        inherited_loaders.hand_down(make=AutoLoader)
        if not self.config.roots:
            log.warning(self.tag, "set up without a root, so it manages nothing yet: give one with push_dir()")
        self._start_reloading()
        log.debug(self.tag, "set up: %r", self)
        if first_time:
            for function in list(self.callbacks.setup):
                function()

    def unregister(self) -> None:
        """Forget the loader: its finder goes; what is loaded stays, other loaders are untouched."""
        self.disable_reloading()
        self.lifecycle.stop()
        known_loaders.forget(self)

    def eager_load(
        self,
        *,
        force: bool = False,
        strict: bool = False,
        progress: Callable[[int, int, str], object] | None = None,
        freeze: bool = False,
    ) -> list[str]:
        """Load every managed module, in sorted order, parents first; go on after failures.

        Args:
            force: also what ``do_not_eager_load`` excludes; never what is ignored.
            strict: a file that does not define its expected name is a failure, too.
            progress: called with ``(done, total, name)`` after each module.
            freeze: afterwards move all objects out of the garbage collector's reach, for servers that fork; and expect
                no new files, so that an attribute of a namespace costs what that of any module does.

        Returns:
            The names of the modules that were not loaded before, in the order of loading.

        Raises:
            EagerLoadError: with every failure in ``failures``; all else is loaded.
        """
        loading = self._loading("eager_load()")
        return loading.eager_load(force=force, strict=strict, progress=progress, freeze=freeze)

    def eager_load_dir(self, path: str | os.PathLike[str]) -> list[str]:
        """Eager load what lies in a directory, and below it.

        Raises:
            PathError: not a directory, or one that this loader does not manage.
            EagerLoadError: something could not be loaded.
        """
        return self._loading("eager_load_dir()").eager_load_dir(path)

    def eager_load_namespace(self, namespace: str | ModuleType) -> list[str]:
        """Eager load a namespace and all below it; one that this loader does not manage is not an error.

        Raises:
            TypeError: neither a name nor a module.
            EagerLoadError: something could not be loaded.
        """
        return self._loading("eager_load_namespace()").eager_load_namespace(namespace)

    def build_bundle(
        self, path: str | os.PathLike[str] | None = None, *, progress: Callable[[int, int, str], object] | None = None
    ) -> BuiltBundle:
        """Write the scan of all roots and the code of all files into one file, for ``AutoLoader(bundle=...)``.

        Args:
            path: where; by default a cache directory beside the first root, the user's where that is read-only.
            progress: called with ``(done, total, name)`` after each namespace is compiled, the numbers being of files.

        Returns:
            Its path, the number of modules, its size in bytes, and what was left out and why.

        Raises:
            OSError: it cannot be written; a bundle that was there stays.
            ConflictError: two files claim the same.
        """
        from pyautoload.bundles import builder

        return builder.build(self.config, path, tag=self.tag, progress=progress)

    def load_file(self, path: str | os.PathLike[str]) -> Any:
        """Load one file.

        Returns:
            The object of the expected name, or the module where it defines none.

        Raises:
            PathError: it does not exist; is not a Python file; is ignored; is not managed; is shadowed.
        """
        return self._loading("load_file()").load_file(path)

    def resolve(self, name: str) -> Any:
        """The object of a full name, a module or an attribute: ``resolve('myapp.models.User')``.

        Raises:
            TypeError, ValueError: no string, or no dotted name.
            ModuleNotFoundError: the name is not managed by this loader.
            AttributeError: the module has no such attribute.
        """
        return self._loading("resolve()").resolve(name)

    def unload(self, *names: str) -> None:
        """Unload every loaded managed module; what is used afterwards is loaded again.

        Args:
            names: only these modules, and what lies below them; one that is not loaded is not an error.

        Raises:
            TypeError, ValueError: a name is not a string, or not a dotted name.
        """
        self._loading("unload()").unload(names)
        self.lifecycle.look_anew()

    # Reloading

    def enable_reloading(
        self,
        *,
        watch: bool = True,
        polling: bool = False,
        debounce: float = 0.01,
        background: bool = True,
        gate_timeout: float = 2.0,
        on_reload: Callable[[ReloadResult], Any] | None = None,
        verify: bool = False,
        report_stale: str | None = None,
        in_main_thread: bool = False,
    ) -> AutoLoader:
        """Bring what is loaded up to date when its files change. Called again, it takes the new options.

        Args:
            watch: watch the files; otherwise ``reload()`` and ``reload_if_changed()`` look at them.
            polling: look at the files once a second in place of waiting for events, for network and container mounts.
            debounce: seconds without another event after which changes are applied.
            background: apply changes in a thread of its own, as they come. Otherwise they wait for ``reload()`` and
                ``reload_if_changed()``, which know at once when there are none: for notebooks, prompts, main loops.
            gate_timeout: how long a reload waits for those inside ``running()``, in seconds.
            on_reload: called with the result of each reload.
            verify: compare with a fresh process after each reload, which imports the program for that; what differs is
                executed again, and ``on_verified`` told.
            report_stale: with ``verify``, a directory that gets what differed, the files of before and after, and a
                script that shows it again.
            in_main_thread: interrupt the main thread for changes that the watcher applies, so that no function there
                sees a module half-way. To be called in the main thread; where there are no such signals (Windows), and
                while C code holds the main thread up, changes are applied in the background all the same.

        Raises:
            ReloadingUnsupported: this Python is not CPython.
        """
        if sys.implementation.name != "cpython":
            raise ReloadingUnsupported(sys.implementation.name)
        from pyautoload.reloading.reloader import Reloader

        if self.reloader is None:
            self.reloader = Reloader(self.binder, gate_timeout)
        self.reloader.gate.timeout = gate_timeout
        if on_reload is not None and on_reload not in self._reload_listeners:
            self._reload_listeners.append(on_reload)
        self.reloader.listeners = self._reload_listeners
        options = {"watch": watch, "polling": polling, "debounce": debounce, "background": background}
        self.reloader.options = options
        self.last_options = {**options, "in_main_thread": in_main_thread}
        if in_main_thread and self.reloader.main_thread is None:
            from pyautoload.reloading.main_thread import MainThread

            self.reloader.main_thread = MainThread.if_possible()
        self._start_reloading()
        if verify != (self._verifier is not None):
            self._stop_verifying()
            if verify:
                self._start_verifying(report_stale)
        return self

    def _start_verifying(self, report_stale: str | None) -> None:
        from pyautoload.sources import own_source
        from pyautoload.warm.fresh_state import Described, FreshStates
        from pyautoload.warm.stale_report import StaleReport
        from pyautoload.warm.verifier import Program, Verifier

        sources = {path: source for path in self.config.roots if (source := own_source(path)) is not None}
        fresh = FreshStates(Described(self.config, self.inflector, sources), texts=report_stale is not None)
        overrides = getattr(self.inflector, "overrides", {})
        report = StaleReport(report_stale, self.config, overrides) if report_stale is not None else None
        assert self.reloader is not None
        program = Program(self.tag, self.loaded, self.reloader.renew, self.reloader.has_loaded)
        self._verifier = Verifier(program, fresh, self._tell_verification, report)
        self._reload_listeners.append(self._verify)

    def _stop_verifying(self) -> None:
        verifier, self._verifier = self._verifier, None
        if verifier is not None:
            self._reload_listeners.remove(self._verify)
            verifier.stop()

    def _verify(self, result: ReloadResult) -> None:
        if self._verifier is not None and not (result.errors or result.still_failing):
            self._verifier.reloaded(proves=not result.restart_required)

    def _tell_verification(self, outcome: Verification) -> None:
        for listener in list(self._verification_listeners):
            listener(outcome)

    def on_verified(self, fn: Callable[[Verification], Any]) -> Callable[[Verification], Any]:
        """Call ``fn(verification)`` after each comparison with a fresh process; usable as a decorator.

        It is called in a thread of its own, some time after the reload, and not for one that others followed at once.
        """
        self._verification_listeners.append(fn)
        return fn

    def disable_reloading(self) -> None:
        """Stop watching and reloading; what is loaded stays as it is."""
        self._stop_verifying()
        reloader, self.reloader = self.reloader, None
        if reloader is not None:
            reloader.stop()
            if reloader.main_thread is not None:
                reloader.main_thread.close()

    def _start_reloading(self) -> None:
        if self.reloader is not None and self.is_set_up:
            self.reloader.start(**self.reloader.options)

    def reload(self, *names: str, fresh: bool = False) -> ReloadResult:
        """Bring everything that is loaded up to date with what is on disk: all of it, or nothing.

        Args:
            names: modules that are executed again, changed or not, with what depends on them.
            fresh: unload everything in place of that; what is used afterwards is loaded anew.

        Raises:
            ReloadError: something failed; everything was put back.
            ReloadingDisabled: ``enable_reloading()`` was not called.
            ValueError: one of ``names`` is not loaded.
        """
        return self._enabled("reload()").reload(*names, fresh=fresh)

    def reload_module(self, name: str) -> ReloadResult:
        """The same as ``reload(name)``."""
        return self.reload(name)

    def reload_if_changed(self) -> ReloadResult | None:
        """Bring everything up to date if a file has changed; cheap otherwise. Returns ``None`` when nothing had.

        Raises:
            ReloadError: something failed; everything was put back.
        """
        return self._enabled("reload_if_changed()").reload_if_changed()

    def status(self) -> Status:
        """What is watched and how, which files could not be applied; ``print`` shows it.

        Raises:
            ReloadingDisabled: ``enable_reloading()`` was not called.
        """
        return self._enabled("status()").status()

    def running(self) -> Pass:
        """A context manager for one piece of work, ``with`` or ``async with``: no reload happens in the midst of it."""
        from pyautoload.reloading.gate import Pass

        return self.reloader.running() if self.reloader is not None else Pass(None)

    def ship_to(self, pool: ProcessPoolExecutor | Pool) -> PoolShipment:
        """Have a pool of processes run the code of this loader, and follow its edits.

        To be called after ``enable_reloading()``, where edits are to follow. A task that is given to the pool from then
        on runs the version that was live when it was given, or a later one. The processes need none of the files.

        Raises:
            ShipmentError: it is no pool of processes, or the loader is not set up or cannot be pickled.
        """
        from pyautoload.cluster.pools import ship_to

        return ship_to(self, pool)

    def do_not_reload(self, *globs: Patterns) -> AutoLoader:
        """Keep modules as they are; when one changes, the result says that a restart is needed. See ``ignore``."""
        self.config.not_reloaded.add(flattened(globs))
        return self

    def on_reload(self, fn: Callable[[ReloadResult], Any]) -> Callable[[ReloadResult], Any]:
        """Call ``fn(result)`` after each reload, also after one that failed; usable as a decorator."""
        self._reload_listeners.append(fn)
        return fn

    def dependencies(self, name: str) -> dict[str, str]:
        """The managed modules that ``name`` depends on → ``'used at import time'`` or ``'held only'``.

        Raises:
            ReloadingDisabled: ``enable_reloading()`` was not called.
        """
        return self._enabled("dependencies()").dependencies(name)

    def dependents(self, name: str, transitive: bool = False) -> dict[str, str]:
        """The managed modules that depend on ``name`` → the kind of the dependency.

        Args:
            name: a loaded module.
            transitive: those also that depend on it through others.
        """
        return self._enabled("dependents()").dependents(name, transitive=transitive)

    def dependency_graph(self) -> dict[str, dict[str, str]]:
        """Every loaded managed module → what it depends on → the kind of the dependency."""
        return self._enabled("dependency_graph()").dependency_graph()

    def _enabled(self, what: str) -> Reloader:
        if self.reloader is None:
            raise ReloadingDisabled(what)
        return self.reloader

    # Introspection

    def expected_name(self, path: str | os.PathLike[str]) -> str | None:
        """What a path is expected to define, in full: ``'myapp.models.User'``; ``None`` for what is not managed.

        Of a loaded file it is the name that was found: ``'app.HTMLParser'``, where ``'app.HtmlParser'`` was expected.

        Raises:
            PathError: the path does not exist.
            NameInflectionError: its stem cannot be a name.
        """
        return self._introspection().expected_name(self.config.absolute(path))

    def expected_names(self) -> dict[str, str]:
        """Path → full name for everything managed, directories included.

        Raises:
            NameInflectionError: a stem cannot be a name.
        """
        return self._introspection().expected_names()

    def loaded(self) -> list[str]:
        """The names of the loaded managed modules, in the order of loading."""
        return self.registry.loaded()

    def is_managed(self, path: str | os.PathLike[str]) -> bool:
        """Whether a file or directory is managed by this loader."""
        return self._introspection().is_managed(self.config.absolute(path))

    def where(self, name: str) -> str | None:
        """The file of a module name or an expected name; ``None`` for a name that is not managed."""
        found = self._introspection().where(name)
        if found is None and self.config.has_plain_roots:
            from pyautoload.importing.plain_finder import place_now

            place = place_now(name)
            found = place if place is not None and self.config.is_plain(place) else None
        return found

    def profile(self, *, libraries: bool = True, save: str | os.PathLike[str] | None = None) -> Profile:
        """Measure imports: ``with loader.profile() as profile: ...``, then ``print(profile.table())``; or a decorator.

        Args:
            libraries: also measure what the modules import besides.
            save: a file to write to at the end: ``.html``, ``.json``, or the table.

        Returns:
            The profile: time per module, of its own and cumulative, and who imported it first.
        """
        from pyautoload.profiling import Profile

        return Profile(self.binder, libraries=libraries, save=save)

    # Callbacks

    def on_setup(self, fn: Callable[[], Any]) -> Callable[[], Any]:
        """Call ``fn()`` after ``setup()``; at once if the loader is set up already.

        Raises:
            TypeError: ``fn`` cannot be called.
        """
        if not callable(fn):
            raise TypeError(f"{fn!r} cannot be called: pass a function")
        self.callbacks.setup.append(fn)
        if self.is_set_up:
            fn()
        return fn

    def on_load(self, name: str | Callable[..., Any] | None = None, fn: Callable[..., Any] | None = None) -> Any:
        """Call ``fn(value, path)`` when ``name`` has been loaded; without a name ``fn(name, value, path)`` for all.

        Args:
            name: a module name or an expected name.
            fn: the function; left out where this is used as a decorator.

        Raises:
            TypeError: the name is not a string.
            ValueError: the name is not a dotted name.
        """
        return self.callbacks.load.add(name, fn)

    def on_unload(self, name: str | Callable[..., Any] | None = None, fn: Callable[..., Any] | None = None) -> Any:
        """The same as ``on_load`` for what is about to be unloaded, while it can still be reached."""
        return self.callbacks.unload.add(name, fn)

    # Helpers

    def _introspection(self) -> Introspection:
        if not self.is_set_up:
            self.tree.use_roots()
        from pyautoload.tree.introspection import Introspection

        return Introspection(self.tree, self.binder.naming)

    def _others(self) -> Any:
        others = (loader for loader in known_loaders.all_loaders() if loader is not self)
        return ((f"{loader!r}, made at {loader.origin}", loader.config) for loader in others)

    def take_config(self, config: Config) -> AutoLoader:
        """Take roots and patterns of another loader; for one that has none."""
        mine = self.config
        mine.ignored, mine.collapsed = config.ignored, config.collapsed
        mine.not_eager, mine.not_reloaded = config.not_eager, config.not_reloaded
        for root in config.roots.values():
            self.push_dir(root.path, root.namespace if root.explicit else None, conventions=root.conventions)
        return self

    def adopt_package(self, inflector: InflectorProtocol | None, version: str) -> bool:
        """Take the rules of a package that this loader manages: its ``__init__.py`` asks for a loader of its own.

        Args:
            inflector: what that wants names to be made with, if not by the rules of a package.
            version: the package's ``version.py``.

        Returns:
            Whether that can be done; a loader that has an inflector of its own keeps it.
        """
        mine = self.inflector
        if inflector is None and type(mine) is Inflector:
            inflector = PackageInflector(version, mine.overrides)
        if inflector is None:
            return True
        if type(mine) not in (Inflector, type(inflector)):
            return False
        self.inflector = self.binder.naming.inflector = inflector
        return True

    def _loading(self, what: str) -> ExplicitLoading:
        finder = self.lifecycle.finder
        if finder is None or not self.is_set_up:
            raise SetupRequired(what)
        from pyautoload.importing.explicit_loading import ExplicitLoading

        return ExplicitLoading(finder)

    def _reconfigured(self) -> AutoLoader:
        if self.is_set_up:
            log.debug(self.tag, "configured after setup(): scanning again what was already scanned")
            self.lifecycle.drop_bundle()  # it was made for other rules
            self.lifecycle.look_anew()
        return self
