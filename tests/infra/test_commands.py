"""The command line: its output, and its error messages with exit code 1."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx2
import psutil
import pytest
from sqlalchemy import select, text, update
from typer.main import get_command
from typer.testing import CliRunner

from infra.checkout import ROOT
from infra.cli import app
from infra.database import Database, migrate
from infra.local import Servers, Stack, environment
from infra.local.folder import DataFolder
from infra.local.ports import find_free_port, is_listening
from infra.local.state import SHARED_SETTINGS, PlatformState
from subgraphs.auth.models import User
from subgraphs.common import database as domain_database
from subgraphs.common import deliveries, webhooks
from subgraphs.common.clock import utc_now
from subgraphs.common.runtime import open_runtime
from subgraphs.common.webhooks import SIGNATURE_HEADER
from subgraphs.domains import DOMAINS
from subgraphs.orders.webhooks import SOURCES
from tests.support.deliveries import build_delivery_row
from tests.support.subgraph import build_settings
from tests.support.webhooks import build_event, sign

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
        "bench-streams",
        "fuzz",
        "fake",
        "schema",
        "db",
        "jobs",
        "webhooks",
        "staff",
        "audit",
        "config",
    ):
        assert f" {command} " in shown


def test_the_arguments_of_all_commands_are_shown_in_capitals():
    group: Any = get_command(app)
    commands = [group, *group.commands.values()]
    commands += [each for command in commands[1:] for each in getattr(command, "commands", {}).values()]
    arguments = [
        parameter
        for command in commands
        for parameter in command.params
        if parameter.param_type_name == "argument"
    ]
    assert len(arguments) > 8
    assert [each.name for each in arguments if not (each.metavar or "").isupper()] == []


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
        (
            ["fake", "openai", "--scenario", '{"texts": []}'],
            "error: The scenario is not valid: texts: Extra inputs are not permitted",
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


def test_health_says_once_that_nothing_is_running(tmp_path, free_ports):
    checked = run_memorable("health", **free_ports, MEMORABLE_DATA_DIR=str(tmp_path))
    assert checked.returncode == 1
    assert checked.stdout == ""
    assert checked.stderr == "error: Nothing is running. `make run` starts the platform.\n"


def test_health_names_the_processes_that_do_not_respond(tmp_path, free_ports):
    with serve_json({"status": "ok", "checks": {"supergraph": "ok"}}, int(free_ports["API_PORT"])):
        checked = run_memorable("health", **free_ports, MEMORABLE_DATA_DIR=str(tmp_path), COLUMNS="120")
    assert checked.returncode == 1
    assert checked.stdout.count("not ready") == checked.stdout.count("nothing listens there") == 5
    assert "supergraph ok" in checked.stdout


@contextmanager
def serve_json(answer: Any, port: int) -> Iterator[None]:
    """Answer each GET request at the port with a JSON value."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(answer).encode())

        def log_message(self, *_: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", port), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield
        server.shutdown()
        thread.join()


def test_beside_a_platform_another_is_refused(stack: Stack):
    refused = run_memorable("run", MEMORABLE_DATA_DIR=str(stack.logs_dir.parent))
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == (
        f"error: The platform of this checkout is already running at {stack.graphql_url}, "
        f"as process {os.getpid()}. Use that one, or stop it first: press Ctrl-C in its terminal.\n"
    )


def test_beside_a_platform_commands_use_the_passwords_that_it_has_generated(stack: Stack):
    others = dict.fromkeys(("POSTGRES_PASSWORD", "AUTH_POSTGRES_PASSWORD"), "another")
    checked = run_memorable("db", "check", MEMORABLE_DATA_DIR=str(stack.logs_dir.parent), **others)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_beside_a_platform_config_shows_what_it_has_chosen(stack: Stack):
    shown = read_config(MEMORABLE_DATA_DIR=str(stack.logs_dir.parent), LOG_LEVEL="debug", API_PORT="1")
    for name in ("API_PORT", "POSTGRES_PORT", "REDIS_PORT", "AUTH_URL", "STORAGE_URL"):
        assert shown[name] == (stack.environ[name], "running platform")
    assert shown["POSTGRES_PASSWORD"] == ("(hidden)", "running platform")
    assert shown["METRICS_PORT"] == ("(one for each process)", "running platform")
    assert shown["LOG_LEVEL"] == ("debug", "environment")
    assert shown["ROUTER_MAX_DEPTH"] == ("20", "default")


@pytest.fixture
def database_settings(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What a command needs to reach a migrated database."""
    with Servers(tmp_path, durable=False) as servers:
        migrate(servers.environ)
        passwords = ("POSTGRES_PASSWORD", *(domain.password_variable for domain in DOMAINS.values()))
        names = (*SHARED_SETTINGS, *passwords)
        own = {name: servers.environ[name] for name in names if name in servers.environ}
        yield own | {"MEMORABLE_DATA_DIR": str(tmp_path / "commands")}


def run_on_database(settings: Mapping[str, str], *arguments: str) -> tuple[int, str]:
    """Run a command; return its exit code and its output in one line, without the lines of tables."""
    result = run_memorable(*arguments, **settings, COLUMNS="200")
    return result.returncode, " ".join((result.stdout + result.stderr).replace("│", " ").split())


async def test_jobs_lists_retries_and_discards_what_is_parked(database_settings):
    url = Database.from_environ(database_settings).build_url("orders")
    await park_job(url)
    code, output = run_on_database(database_settings, "jobs", "list")
    assert code == 0
    assert "payments 30 " in output
    assert "ConnectionError: unreachable [/] msg_1:orders.RefundPayment" in output
    code, output = run_on_database(database_settings, "jobs", "retry", "msg_2")
    assert (code, output) == (1, "error: No parked or refused job has the id msg_2.")
    code, output = run_on_database(database_settings, "jobs", "retry", "msg_1:orders.RefundPayment")
    assert (code, output) == (0, "The job will be tried again now.")
    assert run_on_database(database_settings, "jobs", "list") == (0, "No job is parked.")
    code, output = run_on_database(database_settings, "jobs", "list", "--state", "due")
    assert "payments 0 " in output
    assert run_on_database(database_settings, "jobs", "discard", "msg_1:orders.RefundPayment")[0] == 1
    await park_job(url)
    code, output = run_on_database(database_settings, "jobs", "discard", "msg_1:orders.RefundPayment")
    assert (code, output) == (0, "The job is deleted.")
    assert run_on_database(database_settings, "jobs", "list") == (0, "No job is parked.")
    code, output = run_on_database(database_settings, "audit", "verify")
    assert (code, "orders 2 " in output, "print 0 " in output) == (0, True, True)


async def test_webhooks_lists_receipts_and_replays_one(database_settings):
    assert run_on_database(database_settings, "webhooks", "list") == (0, "No webhook has been received.")
    body = build_event("evt_[/]", "payment.updated", "pi_1")
    environ = {**database_settings, "OFFLINE_PAYMENTS_WEBHOOK_SECRET": "whsec_0123456789"}
    async with open_runtime(DOMAINS["orders"], build_settings("orders", environ)) as orders:
        headers = {SIGNATURE_HEADER: sign(body, "whsec_0123456789")}
        await webhooks.receive(orders, SOURCES["offline-payments"], headers, body)
        async with orders.database.read() as session:
            [receipt] = await webhooks.list_receipts(session, orders.domain.get_table("webhook_receipts"), 10)
        code, output = run_on_database(database_settings, "webhooks", "list")
        assert (code, f"offline-payments payment.updated evt_[/] {receipt.id}" in output) == (0, True)
        code, output = run_on_database(database_settings, "webhooks", "replay", "whr_2")
        assert (code, output) == (1, "error: No webhook has the receipt whr_2.")
        code, output = run_on_database(database_settings, "webhooks", "replay", receipt.id)
        assert (code, output) == (0, "The webhook's job will run again now.")
        async with orders.database.read() as session:
            outbox = orders.domain.get_table("outbox")
            sent = (await session.execute(select(outbox.c.name, outbox.c.payload))).all()
        async with orders.database.session() as session, session.begin():
            receipts = orders.domain.get_table("webhook_receipts")
            await session.execute(update(receipts).values(source="stripe"))
        code, output = run_on_database(database_settings, "webhooks", "replay", receipt.id)
        assert (code, "error: No webhooks of 'stripe' are received here." in output) == (1, True)
    assert sent == [("orders.HandlePaymentEvent", {"receipt_id": receipt.id})] * 2
    assert "orders 1 " in run_on_database(database_settings, "audit", "verify")[1]


async def test_staff_grants_and_revokes_roles_and_audit_verifies_their_entries(database_settings):
    database = domain_database.Database(Database.from_environ(database_settings).build_url("auth"), "auth", 2)
    user = User(
        id="usr_1",
        email="ada@memorable.example",
        display_name="Ada",
        password_hash="",
        scopes=["parent"],
        created_at=utc_now(),
    )
    async with database.session() as session, session.begin():
        session.add(user)
    grants = [
        ("add", "support", "now has the role support. Roles in force: support."),
        ("add", "support", "already had the role support. Roles in force: support."),
        ("add", "finance", "now has the role finance. Roles in force: support, finance."),
        ("remove", "support", "no longer has the role support. Roles in force: finance."),
        ("remove", "support", "did not have the role support. Roles in force: finance."),
        ("remove", "finance", "no longer has the role finance. Roles in force: none."),
    ]
    for command, role, outcome in grants:
        result = run_on_database(database_settings, "staff", command, "Ada@Memorable.example", "--role", role)
        assert result == (0, f"ada@memorable.example {outcome}")
    async with database.read() as session:
        assert (await session.get_one(User, "usr_1")).scopes == ["parent"]
    unknown = run_on_database(database_settings, "staff", "add", "ben@memorable.example", "--role", "support")
    assert unknown == (1, "error: No account has the address ben@memorable.example.")

    code, output = run_on_database(database_settings, "audit", "verify")
    assert (code, "auth 4 " in output) == (0, True)
    assert "The audit logs are intact: 4 entries, all as written." in output
    async with database.read() as session:
        last = await session.scalar(text("SELECT hash FROM auth.audit WHERE sequence = 4"))
    assert last in output
    async with database.session() as session, session.begin():
        await session.execute(text("ALTER TABLE auth.audit DISABLE TRIGGER audit_is_append_only"))
        await session.execute(text("UPDATE auth.audit SET reason = 'finance' WHERE sequence = 1"))
    await database.close()
    broken = run_on_database(database_settings, "audit", "verify")
    assert broken == (1, "error: The audit log of auth is broken: entry 1 is not what was written.")


async def park_job(url: str) -> None:
    """Add a parked job of the orders domain, or park it again."""
    database = domain_database.Database(url, "orders", 2)
    table = DOMAINS["orders"].get_table("deliveries")
    row = build_delivery_row("orders.RefundPayment", "payments", id="msg_1:orders.RefundPayment")
    async with database.session() as session, session.begin():
        await deliveries.add(session, table, [row])
        values = {"state": "PARKED", "attempts": 30, "error": "ConnectionError: unreachable [/]"}
        await session.execute(update(table).values(values))
    await database.close()


def test_logs_shows_the_last_lines_of_a_log(stack: Stack, monkeypatch):
    monkeypatch.setattr("infra.commands.logs.DATA_DIR", stack.logs_dir.parent)
    shown = CliRunner().invoke(app, ["logs", "postgres", "--raw", "--lines", "1000"])
    assert "database system is ready to accept connections" in shown.output
    assert (
        len(CliRunner().invoke(app, ["logs", "postgres", "--raw", "--lines", "1"]).output.splitlines()) == 1
    )


def read_config(**environ: str) -> dict[str, tuple[str, str]]:
    """The value and the source of each setting that `memorable config show` prints."""
    shown = run_memorable("config", "show", **environ, COLUMNS="60")
    assert shown.returncode == 0, shown.stderr
    comment, *lines = shown.stdout.splitlines()
    assert comment.startswith("# ")
    matches = [re.fullmatch(r"(\w+)=(.*?) +# (.+)", line) for line in lines]
    return {found[1]: (found[2], found[3]) for found in matches if found}


def test_config_shows_each_setting_with_its_source_and_no_secret(tmp_path):
    config, env_file = tmp_path / "router.yaml", tmp_path / "settings"
    config.write_text("router_max_depth: 12\nrouter_headers:\n  - {set: x-key, value: hidden-key}\n")
    env_file.write_text("LOG_LEVEL=warn\nPOSTGRES_PASSWORD=hidden-password\nAPI_PORT=4000\n")
    shown = read_config(
        ROUTER_CONFIG=str(config),
        MEMORABLE_ENV_FILE=str(env_file),
        API_PORT="4001",
        SERVICE_TOKEN="hidden-token",
        BOOKS_URL="http://user:hidden-password@books.example/graphql?key=hidden-key",
        ROUTER_COST_REDIS_URL="redis://:hidden-password@cache.example/0",
        ROUTER_CORS_ORIGINS="https://a.example, https://b.example",
        OTEL_EXPORTER_OTLP_HEADERS="authorization=hidden-key",
        STORAGE_URL="s3://key:hidden-/key@books/files",
    )
    assert shown["API_PORT"] == ("4001", "environment")
    assert shown["GRAPH_URL"] == ("http://127.0.0.1:4001/graphql", "default")
    assert shown["ROUTER_CONFIG"] == (str(config), "environment")
    assert shown["ROUTER_MAX_DEPTH"] == ("12", f"{config}:1")
    assert shown["ROUTER_HEADERS"] == ("(hidden)", f"{config}:2")
    assert shown["LOG_LEVEL"] == ("warn", ".env")
    assert shown["POSTGRES_PASSWORD"] == ("(hidden)", ".env")
    assert shown["POSTGRES_USER"] == ("postgres", "default")
    assert shown["ROUTER_MAX_COST"] == ("20000", "default")
    assert shown["ROUTER_EXPLORER"] == ("true", "default")
    assert shown["OFFLINE_WORDS_PER_SECOND"] == ("60", "default")
    assert shown["AUTH_URL"] == ("http://127.0.0.1:3001/graphql", "default")
    assert shown["BOOKS_URL"] == ("http://(hidden)@books.example/graphql?(hidden)", "environment")
    assert shown["STORAGE_URL"] == ("s3://(hidden)@books/files", "environment")
    assert shown["ROUTER_CORS_ORIGINS"] == ("https://a.example,https://b.example", "environment")
    assert shown["SERVICE_TOKEN"] == ("(hidden)", "environment")
    assert not any("hidden-" in value for value, _ in shown.values())


def test_config_shows_every_variable_of_the_example_file():
    example = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    missing = example - read_config().keys()
    assert [name for name in missing if not name.startswith("OTEL_")] == []


def test_config_names_every_setting_that_is_not_valid(tmp_path):
    config = tmp_path / "router.yaml"
    config.write_text("router_max_depth: 0\n")
    wrong = {"ROUTER_MAX_COST": "-1", "AI_WRITER": "nobody", "REDIS_PORT": "x"}
    refused = run_memorable("config", "show", ROUTER_CONFIG=str(config), **wrong)
    assert refused.returncode == 1
    assert refused.stderr.count("REDIS_PORT: ") == refused.stderr.count("AI_WRITER: ") == 1
    assert f"{config}:1: router_max_depth: Input should be greater" in refused.stderr
    assert "ROUTER_MAX_COST: Input should be greater" in refused.stderr


@pytest.fixture
def fake_openai() -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """`memorable fake openai` with a text of its own, and the settings that it prints."""
    command = [*MEMORABLE, "fake", "openai", "--scenario", json.dumps({"text": "Once upon a time."})]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(5)]
        yield process, dict(line.strip().split("=", 1) for line in lines if line.startswith("OPENAI_"))
        process.kill()


async def test_fake_prints_the_settings_that_use_it_and_takes_another_scenario(fake_openai):
    process, settings = fake_openai
    assert settings.keys() == {"OPENAI_API_KEY", "OPENAI_BASE_URL"}
    key = {"authorization": f"Bearer {settings['OPENAI_API_KEY']}"}
    async with httpx2.AsyncClient(timeout=30, headers=key) as client:
        responses = f"{settings['OPENAI_BASE_URL']}/responses"
        assert '"text":"Once upon a time."' in (await client.post(responses, json={})).text
        scenario = settings["OPENAI_BASE_URL"].removesuffix("v1") + "_scenario"
        assert (await client.put(scenario, json={"text": "The end."})).status_code == 200
        assert '"text":"The end."' in (await client.post(responses, json={})).text
        assert (await client.post(responses, json={}, headers={"authorization": ""})).status_code == 401
    process.send_signal(signal.SIGINT)
    assert process.wait(30) == 0


def test_fake_names_a_port_that_is_taken_and_an_unknown_provider():
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        failed = run_memorable("fake", "openai", "--port", port)
    assert failed.returncode == 1
    assert failed.stderr == f"error: Port {port} cannot be used: Address already in use.\n"
    unknown = run_memorable("fake", "nobody")
    assert unknown.returncode == 2
    assert "invalid choice: 'nobody' (choose from 'openai')" in unknown.stderr


def test_plan_prints_the_fetches_of_an_operation(tmp_path):
    operation = tmp_path / "me.graphql"
    operation.write_text("{ me { displayName children { name } } }")
    shown = CliRunner().invoke(app, ["plan", str(operation)])
    assert shown.output.startswith("QueryPlan {")
    assert shown.output.count('Fetch(service: "auth")') == 1
    assert shown.output.count('Fetch(service: "books")') == 1


def test_plan_shows_the_place_of_each_error_in_the_document(tmp_path):
    operation = tmp_path / "me.graphql"
    operation.write_text("{ me { displayName } }\n{ you }")
    result = CliRunner().invoke(app, ["plan", str(operation)])
    assert result.exit_code == 1
    assert f"{operation}:1:1" in result.stderr
    assert f"{operation}:2:3\n1 | {{ me {{ displayName }} }}\n2 | {{ you }}\n  |   ^" in result.stderr


def test_plan_prints_the_graph_and_deferred_fragments(tmp_path):
    operation = tmp_path / "me.graphql"
    operation.write_text('{ me { displayName ... @defer(label: "later") { children { name } } } }')

    plan = CliRunner().invoke(app, ["plan", str(operation)]).output
    graph = CliRunner().invoke(app, ["plan", str(operation), "--stage", "graph"]).output

    assert 'Deferred(path: "me", label: "later") {' in plan
    assert "User/AUTH --displayName--> leaf" in graph
