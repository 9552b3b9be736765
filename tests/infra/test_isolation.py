"""A test run beside a developer's platform: it can neither read its settings nor reach its servers."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.checkout import DATA_DIR, ENV_FILE, ROOT
from infra.local.environment import read_settings

SETTINGS = {"POSTGRES_HOST": "db.example", "OPENAI_API_KEY": "sk-real", "ROUTER_MAX_DEPTH": "7"}
PROBE = """
import os, socket
from infra.local.environment import read_settings

def test_no_setting_is_left():
    assert read_settings() == {}

def test_a_default_port_is_refused():
    with socket.socket() as client:
        assert client.connect_ex(("127.0.0.1", 5432)) != 0
"""


def test_commands_find_no_platform_and_no_settings_of_this_checkout():
    assert not DATA_DIR.is_relative_to(ROOT)
    assert not ENV_FILE.is_relative_to(ROOT)
    assert read_settings() == {}
    with pytest.raises(NotADirectoryError):
        DATA_DIR.mkdir(parents=True)


def test_a_run_ignores_settings_and_fails_a_test_that_connects_to_a_default_port(tmp_path: Path):
    (tmp_path / "test_probe.py").write_text(PROBE)
    plugins = ["-p", "no:cacheprovider", "-p", "tests.support.isolation"]
    # Without a folder of its own, pytest would close the one that it shares with this run to other users.
    plugins += ["--basetemp", str(tmp_path / "own")]
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *plugins, str(tmp_path / "test_probe.py")],
        cwd=ROOT,
        env=os.environ | SETTINGS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert "2 passed, 1 error" in ran.stdout
    assert "['127.0.0.1:5432']" in ran.stdout
