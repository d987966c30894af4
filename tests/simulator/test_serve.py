"""The server as a process of its own: says where it listens, is steered while running, stops when asked to."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from include.simulator.__main__ import main
from include.simulator.serving import DEMO, sites_from_file
from include.simulator.web import Simulator

ROOT = Path(__file__).parents[2]


def test_the_command_serves_the_demo_until_a_signal(tmp_path):
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


SETTINGS = """
districts:
  - {name: Small, seed: 5, students: 40, schools: 1, churn: 0, script: {3: [[student_leaves, 5]]},
     servers: [{kind: clever, token: small-token, pause_start: "2026-06-01"}]}
clever: {rate_limit: 500}
"""


def test_a_settings_file_makes_districts_that_can_be_controlled(tmp_path):
    (tmp_path / "mine.yaml").write_text(SETTINGS)
    command = [sys.executable, "-m", "include.simulator", "serve", "--warm", "--print-url"]
    with subprocess.Popen(
        [*command, "--settings", str(tmp_path / "mine.yaml"), "--day", "2"], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()

        def count() -> int:
            headers = {"Authorization": "Bearer small-token"}
            asked = {"role": "student", "count": "true", "limit": "1"}
            return int(requests.get(f"{url}/v3.1/users", asked, headers=headers, timeout=10).json()["count"])

        try:
            assert count() == 40
            order = {"site": "", "day": 3, "settings": {"state": "error"}}
            (reply,) = requests.post(f"{url}/_control", json=order, timeout=10).json()["sites"][""]["districts"]
            assert (reply["day"], reply["state"]) == (3, "error")
            assert count() == 39
            fault = {"site": "", "faults": [{"kind": "html", "path": "*/users", "times": 1}]}
            requests.post(f"{url}/_control", json=fault, timeout=10)
            headers = {"Authorization": "Bearer small-token"}
            assert requests.get(f"{url}/v3.1/users", headers=headers, timeout=10).text.startswith("<!DOCTYPE html>")
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0


def test_the_first_page_lists_each_address_and_no_secret():
    with Simulator(sites_from_file(DEMO)) as simulator:
        reply = requests.get(simulator.root, timeout=10)
        assert reply.headers["Content-Type"].startswith("text/plain")
        for address in ("/lakeshore/ims/oneroster/v1p1 ", "/westhaven/ims/oneroster/rostering/v1p2 ", "  clever"):
            assert f"{simulator.root}{address}" in reply.text
        assert not any(word in reply.text for word in ("lakeshore-secret", "westhaven-secret", "demo-clever-secret"))


@pytest.mark.parametrize(
    ("text", "words"),
    [("districts: [", "while parsing"), ("districts: [{seed: 1, servers: [{kind: moodle}]}]", "moodle")],
)
def test_settings_that_cannot_be_served_are_refused_in_words(tmp_path, capsys, text, words):
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    assert main(["serve", "--settings", str(path)]) == 2
    assert main(["serve", "--settings", str(tmp_path / "none.yaml")]) == 2
    reply = capsys.readouterr().err
    assert reply.count("The simulator cannot start: ") == 2
    assert words in reply
