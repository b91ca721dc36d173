"""Fits a model to the files in ``data/`` on a Dask cluster, and again after each edit of ``houses/``.

``python pipeline.py [--once] [SCHEDULER]``; without the address of a scheduler it starts workers of its own.
"""

from __future__ import annotations

import queue
import sys
from pathlib import Path

from distributed import Client, LocalCluster

from pyautoload import AutoLoader
from pyautoload.cluster.dask import ship

HERE = Path(__file__).parent


def fitted(client: Client) -> object:
    """The model, from all files: each is read by a worker's task."""
    from houses.model import Model
    from houses.sums import Sums

    texts = [path.read_text(encoding="utf-8") for path in sorted((HERE / "data").glob("*.csv"))]
    parts = client.map(Sums.of, texts, pure=False)
    return client.submit(Model.fit, parts, pure=False).result()


def main() -> None:
    loader = AutoLoader(HERE / "houses").setup().enable_reloading()
    edits: queue.Queue[object] = queue.Queue()
    loader.on_reload(edits.put)
    options = [argument for argument in sys.argv[1:] if argument != "--once"]
    cluster = options[0] if options else LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0")
    with Client(cluster) as client, ship(client, loader):
        print(fitted(client), flush=True)
        while "--once" not in sys.argv:
            print(edits.get(), flush=True)
            print(fitted(client), flush=True)


if __name__ == "__main__":
    main()
