"""The Celery application, for those who send tasks and those who run them."""

from __future__ import annotations

import os
from pathlib import Path

from celery import Celery

# Messages and results are files, so that the example needs no broker.
VAR = Path(os.environ.get("JOBS_VAR", Path(__file__).parent / "var"))
for folder in ("messages", "control", "results"):
    (VAR / folder).mkdir(parents=True, exist_ok=True)

app = Celery("jobs", broker="filesystem://", backend=f"file://{VAR}/results")
app.conf.broker_transport_options = {
    "data_folder_in": str(VAR / "messages"),
    "data_folder_out": str(VAR / "messages"),
    "control_folder": str(VAR / "control"),
    "polling_interval": 0.1,
}
app.set_default()
