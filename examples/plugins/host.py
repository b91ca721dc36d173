"""A plugin host: what it knows of its plugins is where they lie.

python examples/plugins/host.py
"""

from pathlib import Path

from pyautoload import AutoLoader, EagerLoadError

HERE = Path(__file__).parent


class Host:
    """Discovers plugins by convention and loads each when it is first used."""

    def __init__(self, directory=HERE / "plugins"):
        self.log = []
        self.loader = AutoLoader(directory, "plugins")
        self.loader.on_load(lambda name, value, path: self.log.append(f"loaded {name}"))
        self.loader.on_unload(lambda name, value, path: self.log.append(f"unloaded {name}"))
        self.loader.setup()

    def available(self):
        """The full names of all plugins; no file is run for that."""
        names = self.loader.expected_names()
        return sorted(name for path, name in names.items() if path.endswith(".py"))

    def run(self, name, text):
        """Run a plugin by its full name, loading it if need be."""
        return self.loader.resolve(name)().run(text)

    def load_all(self):
        """Load every plugin; give what failed, by module name."""
        try:
            self.loader.eager_load()
        except EagerLoadError as error:
            return {name: str(failure) for name, failure in error.failures.items()}
        return {}

    def load_namespace(self, name):
        """Load one group of plugins."""
        return self.loader.eager_load_namespace(name)

    def unload(self, module_name):
        """Let go of one plugin; it is loaded again, from its file, when it is next used."""
        self.loader.unload(module_name)


def main():
    host = Host()
    print("available:", ", ".join(host.available()))
    print("loaded so far:", host.loader.loaded())
    print(host.run("plugins.Shout", "world"))
    print("loaded now:", host.loader.loaded())
    print("the export plugins:", host.load_namespace("plugins.export"))
    print("what failed:", host.load_all())
    host.unload("plugins.greet")
    print(host.run("plugins.Greet", "again"))
    print(*host.log, sep="\n")


if __name__ == "__main__":
    main()
