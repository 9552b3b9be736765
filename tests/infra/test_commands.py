"""The command line: what it prints, and that a failure is one clear message and exit code 1."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import psutil
import pytest
from typer.testing import CliRunner

from infra.checkout import ROOT
from infra.cli import app
from infra.local import Stack, environment
from infra.local.folder import DataFolder
from infra.local.ports import free_port, is_listening
from infra.local.running import Running

MEMORABLE = [sys.executable, "-c", "from infra.cli import app; app()"]


def memorable(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*MEMORABLE, *arguments],
        check=False,
        cwd=ROOT,
        env=os.environ | environ,
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture
def free_ports() -> Mapping[str, str]:
    return {setting: str(free_port()) for setting in environment.DEFAULT_PORTS}


@pytest.fixture
def running_platform(tmp_path: Path, free_ports) -> Iterator[tuple[subprocess.Popen[str], Running]]:
    """`memorable run` in a data folder of its own, up."""
    environ = os.environ | free_ports | {"MEMORABLE_DATA_DIR": str(tmp_path)}
    command = [*MEMORABLE, "run", "--no-explorer"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        state = DataFolder(tmp_path).state
        until(state.exists, process)
        yield process, Running(**json.loads(state.read_text()))
        process.kill()


def until(condition: Callable[[], bool], process: subprocess.Popen[Any], within: float = 120.0) -> None:
    """Wait for what a running command brings about."""
    deadline = time.monotonic() + within
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    return [
        process for process in processes if process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    ]


def test_help_lists_every_command():
    shown = CliRunner().invoke(app, ["--help"]).output
    for command in (
        "run",
        "demo",
        "dev",
        "health",
        "logs",
        "plan",
        "test",
        "bench",
        "bench-router",
        "fuzz",
        "schema",
        "db",
    ):
        assert f" {command} " in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["dev", "mailer"],
            "error: There is no process 'mailer'; there are servers, router, auth, books, ai,",
        ),
        (["dev", "books"], "error: No servers run in this checkout."),
        (["logs", "mailer"], "error: There is no log of 'mailer'; there are none yet."),
        (["plan", "nowhere.graphql"], "error: nowhere.graphql cannot be read: No such file or directory"),
        (
            ["schema", "check", "--base", "no-such-branch"],
            "error: git has no schema/supergraph.graphql at no-such",
        ),
    ],
)
def test_a_failure_is_one_clear_message(tmp_path, arguments, message):
    failed = memorable(*arguments, MEMORABLE_DATA_DIR=str(tmp_path))
    assert failed.returncode == 1
    assert failed.stderr.startswith(message)
    assert "Traceback" not in failed.stderr


def test_a_taken_port_is_told_by_the_setting_that_changes_it(tmp_path, free_ports):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        failed = memorable(
            "run", "--no-explorer", **{**free_ports, "API_PORT": port}, MEMORABLE_DATA_DIR=str(tmp_path)
        )
    assert failed.returncode == 1
    assert failed.stderr == (
        f"error: Port {port} on 127.0.0.1 is taken. Set API_PORT to a free port, or end what listens there.\n"
    )


def test_a_port_that_is_no_port_is_told_by_its_setting(tmp_path, free_ports):
    failed = memorable(
        "run", "--no-explorer", **{**free_ports, "API_PORT": "http"}, MEMORABLE_DATA_DIR=str(tmp_path)
    )
    assert failed.stderr == "error: API_PORT must be a port between 1 and 65535; it is 'http'.\n"


def test_a_platform_that_is_killed_leaves_no_process_behind(running_platform, tmp_path):
    process, _ = running_platform
    family = children(process)
    assert len(family) > 9
    process.kill()
    process.wait()
    checked = memorable("db", "check", MEMORABLE_DATA_DIR=str(tmp_path))
    assert checked.returncode == 0, checked.stderr
    assert alive(family) == []


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGHUP])
def test_a_platform_that_is_told_to_stop_ends_its_processes_and_itself(running_platform, tmp_path, how):
    process, _ = running_platform
    family = children(process)
    process.send_signal(how)
    assert process.wait(60) == 0
    assert alive(family) == []
    assert not DataFolder(tmp_path).state.exists()


def test_one_process_runs_by_hand_on_the_servers_alone(tmp_path, free_ports):
    environ = os.environ | free_ports | {"MEMORABLE_DATA_DIR": str(tmp_path)}
    with subprocess.Popen([*MEMORABLE, "dev", "servers"], cwd=ROOT, env=environ) as servers:
        until(DataFolder(tmp_path).state.exists, servers)
        with subprocess.Popen([*MEMORABLE, "dev", "auth", "--debug"], cwd=ROOT, env=environ) as auth:
            port = int(free_ports["AUTH_SERVICE_PORT"])
            until(lambda: is_listening(port), auth)
            auth.terminate()
            assert auth.wait(30) == 0
        assert not is_listening(port)
        servers.terminate()
        assert servers.wait(30) == 0


def test_health_asks_the_platform_that_runs(stack: Stack, monkeypatch):
    monkeypatch.setattr("infra.commands.health.DATA_DIR", stack.logs_dir.parent)
    shown = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["health"])
    assert shown.exit_code == 0, shown.output
    assert shown.output.count("not ready") == 0
    assert shown.output.count("ready") == 7
    assert shown.output.count("database ok, redis ok") == 5


def test_health_fails_when_a_process_does_not_answer(tmp_path, free_ports):
    checked = memorable("health", **free_ports, MEMORABLE_DATA_DIR=str(tmp_path))
    assert checked.returncode == 1
    assert checked.stdout.count("not ready") == 6


def test_logs_shows_the_end_of_a_process_log(stack: Stack, monkeypatch):
    monkeypatch.setattr("infra.commands.logs.DATA_DIR", stack.logs_dir.parent)
    shown = CliRunner().invoke(app, ["logs", "postgres", "--raw", "--lines", "1000"])
    assert "database system is ready to accept connections" in shown.output
    assert (
        len(CliRunner().invoke(app, ["logs", "postgres", "--raw", "--lines", "1"]).output.splitlines()) == 1
    )


def test_plan_prints_the_fetches_of_an_operation(tmp_path):
    operation = tmp_path / "me.graphql"
    operation.write_text("{ me { displayName children { name } } }")
    shown = CliRunner().invoke(app, ["plan", str(operation)])
    assert shown.output.startswith("QueryPlan {")
    assert shown.output.count('Fetch(service: "auth")') == 1
    assert shown.output.count('Fetch(service: "books")') == 1


def test_plan_prints_the_graph_and_what_comes_later(tmp_path):
    operation = tmp_path / "me.graphql"
    operation.write_text('{ me { displayName ... @defer(label: "later") { children { name } } } }')

    plan = CliRunner().invoke(app, ["plan", str(operation)]).output
    graph = CliRunner().invoke(app, ["plan", str(operation), "--stage", "graph"]).output

    assert 'Deferred(path: "me", label: "later") {' in plan
    assert "User/AUTH --displayName--> leaf" in graph
