"""The command line: its output, and its error messages with exit code 1."""

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
from infra.local.ports import find_free_port, is_listening
from infra.local.state import PlatformState

MEMORABLE = [sys.executable, "-c", "from infra.cli import app; app()"]


def run_memorable(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command and wait for it."""
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
    return {setting: str(find_free_port()) for setting in environment.DEFAULT_PORTS}


@pytest.fixture
def running_platform(tmp_path: Path, free_ports) -> Iterator[tuple[subprocess.Popen[str], PlatformState]]:
    """`memorable run` in its own data folder, ready."""
    environ = os.environ | free_ports | {"MEMORABLE_DATA_DIR": str(tmp_path)}
    command = [*MEMORABLE, "run", "--no-explorer"]
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdout=subprocess.PIPE, text=True) as process:
        state = DataFolder(tmp_path).state
        wait_until(state.exists, process)
        yield process, PlatformState(**json.loads(state.read_text()))
        process.kill()


def wait_until(condition: Callable[[], bool], process: subprocess.Popen[Any], within: float = 120.0) -> None:
    """Wait until a running command has brought about a condition."""
    deadline = time.monotonic() + within
    while not condition():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.1)


def list_children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def list_alive(processes: list[psutil.Process]) -> list[psutil.Process]:
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
            "error: Unknown process 'mailer'; choose one of servers, router, auth, books, ai,",
        ),
        (["dev", "books"], "error: No servers are running in this checkout."),
        (["logs", "mailer"], "error: There is no log of 'mailer'. Available: none yet."),
        (["plan", "nowhere.graphql"], "error: Cannot read nowhere.graphql: No such file or directory"),
        (
            ["schema", "check", "--base", "no-such-branch"],
            "error: git has no schema/supergraph.graphql at no-such",
        ),
    ],
)
def test_a_failure_is_reported_in_one_message(tmp_path, arguments, message):
    failed = run_memorable(*arguments, MEMORABLE_DATA_DIR=str(tmp_path))
    assert failed.returncode == 1
    assert failed.stderr.startswith(message)
    assert "Traceback" not in failed.stderr


def test_a_port_in_use_is_reported_with_its_setting(tmp_path, free_ports):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        failed = run_memorable(
            "run", "--no-explorer", **{**free_ports, "API_PORT": port}, MEMORABLE_DATA_DIR=str(tmp_path)
        )
    assert failed.returncode == 1
    assert failed.stderr == (
        f"error: Port {port} on 127.0.0.1 is in use. "
        "Set API_PORT to a free port, or stop the process that listens there.\n"
    )


def test_an_invalid_port_is_reported_with_its_setting(tmp_path, free_ports):
    failed = run_memorable(
        "run", "--no-explorer", **{**free_ports, "API_PORT": "http"}, MEMORABLE_DATA_DIR=str(tmp_path)
    )
    assert failed.stderr == "error: API_PORT must be a port between 1 and 65535, not 'http'.\n"


def test_a_killed_platform_leaves_no_processes_behind(running_platform, tmp_path):
    process, _ = running_platform
    processes = list_children(process)
    assert len(processes) > 9
    process.kill()
    process.wait()
    checked = run_memorable("db", "check", MEMORABLE_DATA_DIR=str(tmp_path))
    assert checked.returncode == 0, checked.stderr
    assert list_alive(processes) == []


@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_the_platform_and_its_processes(running_platform, tmp_path, signal_number):
    process, _ = running_platform
    processes = list_children(process)
    process.send_signal(signal_number)
    assert process.wait(60) == 0
    assert list_alive(processes) == []
    assert not DataFolder(tmp_path).state.exists()


def test_one_process_runs_beside_dev_servers(tmp_path, free_ports):
    environ = os.environ | free_ports | {"MEMORABLE_DATA_DIR": str(tmp_path)}
    with subprocess.Popen([*MEMORABLE, "dev", "servers"], cwd=ROOT, env=environ) as servers:
        wait_until(DataFolder(tmp_path).state.exists, servers)
        with subprocess.Popen([*MEMORABLE, "dev", "auth", "--debug"], cwd=ROOT, env=environ) as auth:
            port = int(free_ports["AUTH_SERVICE_PORT"])
            wait_until(lambda: is_listening(port), auth)
            auth.terminate()
            assert auth.wait(30) == 0
        assert not is_listening(port)
        servers.terminate()
        assert servers.wait(30) == 0


def test_health_checks_the_running_platform(stack: Stack, monkeypatch):
    monkeypatch.setattr("infra.commands.health.DATA_DIR", stack.logs_dir.parent)
    shown = CliRunner(env={"COLUMNS": "120"}).invoke(app, ["health"])
    assert shown.exit_code == 0, shown.output
    assert shown.output.count("not ready") == 0
    assert shown.output.count("ready") == 7
    assert shown.output.count("database ok, redis ok") == 5


def test_health_fails_if_a_process_does_not_respond(tmp_path, free_ports):
    checked = run_memorable("health", **free_ports, MEMORABLE_DATA_DIR=str(tmp_path))
    assert checked.returncode == 1
    assert checked.stdout.count("not ready") == 6


def test_logs_shows_the_last_lines_of_a_log(stack: Stack, monkeypatch):
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


def test_plan_prints_the_graph_and_deferred_fragments(tmp_path):
    operation = tmp_path / "me.graphql"
    operation.write_text('{ me { displayName ... @defer(label: "later") { children { name } } } }')

    plan = CliRunner().invoke(app, ["plan", str(operation)]).output
    graph = CliRunner().invoke(app, ["plan", str(operation), "--stage", "graph"]).output

    assert 'Deferred(path: "me", label: "later") {' in plan
    assert "User/AUTH --displayName--> leaf" in graph
