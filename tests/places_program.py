"""Run in one place: all that a loader does with a tree there, by what is promised of every place."""

from __future__ import annotations

import sys
import threading
import warnings
from pathlib import Path

from pyautoload import AutoLoader

# Below `root` is what the program sees, below `edited` the same files, where they can be written.
place, edited, kind = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]


def main() -> None:
    if kind == "no inotify":
        Path("/proc/sys/user/max_inotify_instances").write_text("0")
    root = place / "shop"
    loader = AutoLoader(root).setup()
    import shop

    assert shop.models.User().get() == 1
    assert loader.expected_name(root / "models" / "user.py") == "shop.models.User"
    assert loader.load_file(root / "models" / "order.py").__name__ == "Order"
    (edited / "shop" / "models" / "late.py").write_text("class Late: ...\n")
    from shop.models import Late  # not by attribute: where this process cannot write, none is expected to come

    assert Late.__name__ == "Late"
    assert loader.eager_load() is not None
    assert sorted(loader.loaded()) == [
        *("shop", "shop.models", "shop.models.late", "shop.models.order", "shop.models.user", "shop.views"),
        "shop.views.page",
    ], loader.loaded()
    reload(loader, root)
    bundle(root)


def reload(loader: AutoLoader, root: Path) -> None:
    import shop

    arrived = threading.Condition()

    def note(result: object) -> None:
        with arrived:
            arrived.notify_all()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it looks, where it cannot be told
        loader.enable_reloading(on_reload=note)
    user = shop.models.User()
    for number in range(2, 5):
        (edited / "shop" / "models" / "user.py").write_text(TEXT.format(number))
        with arrived:
            assert arrived.wait_for(lambda number=number: user.get() == number, 20), (number, user.get())
    if kind == "no inotify":
        assert loader.status().watches == 0
    loader.disable_reloading()
    loader.unregister()


def bundle(root: Path) -> None:
    """Where none can be written beside the root, it lies in the user's cache."""
    for mode in ("checked", "trusted"):
        loader = AutoLoader(bundle=mode).push_dir(root, namespace=f"shop_{mode}")
        loader.build_bundle()
        loader.setup()
        assert loader.resolve(f"shop_{mode}.models.User")().get() == 4
        loader.unregister()


TEXT = "class User:\n    def get(self):\n        return {}\n"

main()
print("fine")
