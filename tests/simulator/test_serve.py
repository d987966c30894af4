"""The server as a process of its own: says where it listens, is steered while running, stops when told."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import requests

ROOT = Path(__file__).parents[2]


def test_the_command_serves_the_demo_until_it_is_told_to_stop(tmp_path):
    command = [sys.executable, "-m", "include.simulator", "serve", "--print-url", "--url-file", str(tmp_path / "url")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        try:
            assert (tmp_path / "url").read_text() == f"{url}\n"
            state = requests.post(f"{url}/_control", json={"site": "/lakeshore", "day": 3}, timeout=10).json()
            assert state["sites"]["/lakeshore"]["day"] == 3
            assert state["sites"]["/westhaven"]["day"] == 1
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
