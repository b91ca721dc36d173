"""What autoloading does to a real application, step by step: ``make demo`` runs it."""

from __future__ import annotations

import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from timeit import timeit
from typing import Any, NamedTuple

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table
from rich.tree import Tree
from werkzeug.serving import make_server

HERE = Path(__file__).resolve().parent
COLOURS = {"first use": "cyan", "start": "blue", "requests": "magenta", "eager load": "green"}


class Step(NamedTuple):
    """What one step cost: its result, its seconds, and the modules that it loaded."""

    result: Any
    seconds: float
    modules: list[str]


class Demo:
    """Runs the steps and remembers which of them loaded which file."""

    def __init__(self, console: Console) -> None:
        self.console = console
        # Module → the step that loaded it. Example: {"blog.models.post": "first use"}
        self.loaded_by: dict[str, str] = {}

    def run(self) -> None:
        """All steps, in a directory of their own for the database."""
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory:
            self.set_up()
            self.first_use()
            application = self.start(f"sqlite:///{directory}/blog.sqlite3")
            with self.serving(application) as address:
                self.requests(address)
            application.database.close()
            self.eager_load()
            self.summary()

    def set_up(self) -> None:
        """Set the loader up; the libraries are imported before, so that no time below is theirs."""
        import flask  # noqa: F401
        import sqlalchemy.orm  # noqa: F401

        from pyautoload import AutoLoader  # noqa: F401

        self.heading("1", "Set up", "autoload.py names the directory and three rules")
        self.code((HERE / "autoload.py").read_text(encoding="utf-8").partition("loader = ")[2].rstrip("\n"))
        start = time.perf_counter()
        from autoload import loader

        seconds = time.perf_counter() - start
        self.loader = loader
        # The module of each managed file, to show it beside the name that it is expected to define.
        self.files = {
            Path(path).resolve(): name for path, name in loader.expected_names().items() if Path(path).suffix == ".py"
        }
        self.say(f"{duration(seconds)}, and nothing of the blog is loaded: [b]0[/b] of {len(self.files)} files.")

    def first_use(self) -> None:
        """Use a model: its file is loaded, and what that file needs."""
        import blog

        self.heading("2", "Use a name", "the file that defines it is loaded at that moment")
        step = self.measure("first use", lambda: blog.models.Post)
        again = timeit("models.Post", globals={"models": blog.models}, number=100_000) / 100_000
        self.code("import blog\nblog.models.Post")
        self.say(f"{duration(step.seconds)}, and these files were run: {self.names(step.modules)}.")
        self.say(f"From then on it is an ordinary attribute: {duration(again)}.")
        self.say("Comment and Tag, which a post refers to, are [b]not[/b] loaded: nobody asked for them yet.")

    def start(self, database_url: str) -> Any:
        """Build the application and give it something to show."""
        import blog

        self.heading("3", "Start the application", "Flask and SQLAlchemy, with a database and six posts")
        step = self.measure("start", lambda: blog.Application(blog.Configuration(database_url=database_url)))
        application = step.result
        seeded = self.measure("start", lambda: blog.tasks.Seed(application.database.session).run())
        application.database.release()
        self.code("app = blog.Application()\nblog.tasks.Seed(app.database.session).run()")
        self.say(f"{duration(step.seconds)} for {self.names(step.modules)}.")
        self.say(f"{duration(seeded.seconds)} for {seeded.result} posts, and for {self.names(seeded.modules)}.")
        return application

    @contextmanager
    def serving(self, application: Any) -> Iterator[str]:
        """Serve ``application`` on a free port of this machine; gives its address."""
        server = make_server("127.0.0.1", 0, application, threaded=True, request_handler=quiet_handler())
        thread = threading.Thread(target=server.serve_forever, name="server")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()
            server.server_close()

    def requests(self, address: str) -> None:
        """Fetch pages over a real socket, each twice."""
        self.heading("4", "Answer requests", "a controller is loaded when somebody visits it")
        table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for column in ("GET", "answer", "first", "again"):
            table.add_column(column, no_wrap=True, justify="left" if column in ("GET", "answer") else "right")
        table.add_column("loaded for it", overflow="fold")
        for path in ("/", "/posts/circles", "/feed.atom", "/api/posts", "/search?q=python"):
            first = self.measure("requests", partial(fetch, address + path))
            again = self.measure("requests", partial(fetch, address + path))
            table.add_row(
                path,
                str(first.result),
                duration(first.seconds),
                duration(again.seconds),
                self.names(first.modules),
            )
        self.console.print(Padding(table, (0, 0, 1, 3)))

    def eager_load(self) -> None:
        """Load what is left, as production does at its start."""
        self.heading("5", "Eager load", "what production does first: every file, every mistake at once")
        step = self.measure("eager load", self.loader.eager_load)
        self.code("loader.eager_load()")
        self.say(f"{duration(step.seconds)} for the rest: {self.names(step.modules)}.")

    def summary(self) -> None:
        """The tree, coloured by what loaded each file."""
        legend = " · ".join(f"[{colour}]{step}[/]" for step, colour in COLOURS.items())
        self.heading("✓", "What defines what", f"loaded by: {legend}")
        top = HERE / "blog"
        branches = {top: Tree(f"[b]{top.name}/[/b]", guide_style="dim")}
        width = max(len(path.relative_to(top).parts) * 4 + len(path.name) for path in self.files)
        for path in sorted(self.files, key=lambda path: (path.parent, path.name)):
            branch = self.branch(path.parent, branches)
            step = self.loaded_by.get(self.module(path), "")
            space = " " * (width - len(path.relative_to(top).parts) * 4 - len(path.name))
            branch.add(f"{path.name}{space}  [{COLOURS.get(step, 'dim')}]{escape(self.name(path))}[/]")
        self.console.print(Padding(branches[top], (0, 0, 1, 3)))

    def branch(self, directory: Path, branches: dict[Path, Tree]) -> Tree:
        """The branch for ``directory``, made with those above it."""
        if directory not in branches:
            branches[directory] = self.branch(directory.parent, branches).add(f"[b]{directory.name}/[/b]")
        return branches[directory]

    def module(self, path: Path) -> str:
        """The module of ``path`` as the loader calls it, without loading it."""
        return f"{self.files[path].rpartition('.')[0]}.{path.stem}"

    def name(self, path: Path) -> str:
        """The name that a loaded file defines: the expected one, or that with other capitals."""
        namespace, _, expected = self.files[path].rpartition(".")
        names = vars(sys.modules[namespace])
        defined = expected if expected in names else next(n for n in names if n.lower() == expected.lower())
        return f"{namespace}.{defined}"

    def measure(self, step: str, action: Callable[[], object]) -> Step:
        """Run ``action``; the modules that it loads are put down to ``step``."""
        before = set(self.loader.loaded())
        start = time.perf_counter()
        result = action()
        seconds = time.perf_counter() - start
        new = [name for name in self.loader.loaded() if name not in before]
        self.loaded_by.update(dict.fromkeys(new, step))
        return Step(result, seconds, new)

    def names(self, modules: list[str]) -> str:
        """The files among ``modules``, by what is left of their names below ``blog.models`` and the like."""
        managed = {self.module(path) for path in self.files}
        parts = [name.split(".") for name in modules if name in managed]
        short = [".".join(part[2:] or part[1:]) for part in parts]
        return ", ".join(f"[cyan]{name}[/cyan]" for name in short) if short else "[dim]nothing new[/dim]"

    def heading(self, number: str, title: str, remark: str) -> None:
        """The title of a step."""
        self.console.print(f"[b reverse] {number} [/] [b]{title}[/b]  [dim]{remark}[/dim]\n")

    def say(self, text: str) -> None:
        """A sentence of a step."""
        self.console.print(Padding(text, (0, 0, 1, 3)))

    def code(self, text: str) -> None:
        """Code, as it stands."""
        self.console.print(Padding(f"[dim]{escape(text)}[/dim]", (0, 0, 1, 5)))


def duration(seconds: float) -> str:
    """``seconds`` in the unit that suits them: ``"1.4 ms"``."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size:
            return f"[yellow]{seconds / size:.1f} {unit}[/yellow]"
    return f"[yellow]{seconds * 1e9:.0f} ns[/yellow]"


def fetch(address: str) -> str:
    """Get a page: ``"200, 3.1 kB"``."""
    with urllib.request.urlopen(address, timeout=10) as response:
        return f"{response.status}, {len(response.read()) / 1000:.1f} kB"


def quiet_handler() -> type:
    """A request handler that writes no log: the demo shows the requests itself."""
    from werkzeug.serving import WSGIRequestHandler

    return type("QuietHandler", (WSGIRequestHandler,), {"log": lambda *_arguments: None})


if __name__ == "__main__":
    # Where the output goes to a pipe or a file of another encoding, the signs of the tree must not fail.
    if isinstance(sys.stdout, TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    Demo(Console(highlight=False)).run()
