"""`python -m servers`: its flags, its ready line, its refusals."""

import json
import socket
import subprocess
import sys
from dataclasses import fields

import pytest

from servers.__main__ import parse
from servers.options import Options
from tests.serving import END_S, ended, serving


def run(*flags: str) -> subprocess.CompletedProcess[str]:
    """For flags with which it ends at once."""
    return subprocess.run([sys.executable, "-m", "servers", *flags], capture_output=True, text=True, timeout=END_S)


# --- flags


def test_without_flags_the_options_are_the_defaults() -> None:
    assert parse([]) == Options()


def test_each_option_is_a_flag() -> None:
    other = Options(
        host="::1",
        port=1,
        loop="uvloop",
        http="h11",
        heartbeat_s=0.5,
        longpoll_timeout_s=1.5,
        keep_alive_s=2,
        log_messages=3,
        log_bytes=5,
        max_message_bytes=4,
        backlog=6,
    )
    flags = [f"--{option.name.replace('_', '-')}={getattr(other, option.name)}" for option in fields(Options)]
    assert parse(flags) == other


def test_help_tells_of_each_flag_its_meaning_and_its_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "100")
    with pytest.raises(SystemExit) as caught:
        parse(["--help"])
    assert caught.value.code == 0
    told = " ".join(capsys.readouterr().out.split())
    for option in fields(Options):
        assert f"--{option.name.replace('_', '-')} " in told
        assert f"{option.metadata['help']} (default: {option.default})" in told


@pytest.mark.parametrize(
    ("flag", "says"),
    [
        ("--prot=80", "unrecognized arguments: --prot=80"),
        (
            "--log-m=3",
            "unrecognized arguments: --log-m=3",
        ),  # a shortened flag would change its meaning with the next option
        ("--port=http", "invalid int value: 'http'"),
        ("--loop=auto", "invalid choice: 'auto'"),
        ("--port=99999", "port is 99999: it must be at most 65535"),
        ("--log-bytes=1", "log_bytes is 1: it must be at least max_message_bytes"),
    ],
)
def test_a_wrong_flag_is_told_on_the_last_line_and_exits_2(
    capsys: pytest.CaptureFixture[str], flag: str, says: str
) -> None:
    with pytest.raises(SystemExit) as caught:
        parse([flag])
    assert caught.value.code == 2
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("python -m servers: error: ")
    assert says in last


def test_a_wrong_flag_ends_the_process_with_2() -> None:
    refused = run("--unheard-of")
    assert (refused.returncode, refused.stdout) == (2, "")
    assert "Traceback" not in refused.stderr


# --- binding


def test_the_ready_line_is_one_json_line_with_the_port_and_the_pid() -> None:
    command = [sys.executable, "-m", "servers", "--port=0"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    with ended(process):
        assert process.stdout is not None
        assert process.stderr is not None
        ready = json.loads(process.stdout.readline())
        assert ready == {"ready": True, "port": ready["port"], "pid": process.pid}
        with socket.create_connection(("127.0.0.1", ready["port"])):  # at once: that is what ready means
            pass
        process.terminate()
        assert process.communicate(timeout=END_S) == ("", "")


def test_a_port_in_use_is_one_line_with_the_way_out() -> None:
    with serving() as first:
        second = run(f"--port={first.port}")
    assert second.returncode == 1
    assert second.stdout == ""
    assert second.stderr == (
        f"python -m servers: cannot bind 127.0.0.1:{first.port}: Address already in use; --port 0 takes a free port\n"
    )


def test_an_address_that_is_not_this_hosts_is_one_line() -> None:
    refused = run("--host=192.0.2.1", "--port=0", "--insecure")  # RFC 5737: an address for documentation
    assert refused.returncode == 1
    assert refused.stderr == "python -m servers: cannot bind 192.0.2.1:0: Cannot assign requested address\n"
