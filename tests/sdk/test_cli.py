import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest
from signalbox_agent.cli import main

from tests.sdk.server import ScriptedServer

SDK = Path(__file__).resolve().parents[2] / "sdk"


async def start(*args: str, **env: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "signalbox_agent", *args),
        env={**os.environ, "PYTHONPATH": str(SDK), **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )


async def test_the_process_works_and_leaves_properly(scripted: ScriptedServer, tmp_path):
    (tmp_path / "key").write_text("prefix.secret\n")
    process = await start(
        *("--name", "local-1", "--allow", "echo *", "--label", "local", "--slots", "2", "--cwd", str(tmp_path)),
        SIGNALBOX_URL=scripted.url,
        SIGNALBOX_KEY_FILE=str(tmp_path / "key"),
    )
    await scripted.until(lambda: scripted.of("agent:connect"), 15)
    introduction = scripted.of("agent:connect")[0]["data"]
    assert scripted.headers[0]["authorization"] == "Bearer prefix.secret"
    assert (introduction["name"], introduction["labels"], introduction["slots"]) == ("local-1", ["local"], 2)
    await scripted.request("c", argv=["echo", "hello"])
    assert (await scripted.ended("c"))["status"] == "succeeded"
    process.send_signal(signal.SIGTERM)
    output, _ = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 0
    assert b"Command c: succeeded" in output
    assert scripted.of("agent:status")[-1]["data"]["leaving"] is True


async def test_the_second_one_with_a_lock_ends_with_a_sentence(scripted: ScriptedServer, tmp_path):
    lock = ("--lock", str(tmp_path / "lock"), "--url", scripted.url, "--name", "one")
    first = await start(*lock, SIGNALBOX_KEY="k")
    await scripted.until(lambda: scripted.connections, 15)
    assert (tmp_path / "lock").read_text().strip() == str(first.pid)
    second = await start(*lock, SIGNALBOX_KEY="k")
    output, _ = await asyncio.wait_for(second.communicate(), 10)
    assert second.returncode == 3
    assert f"held by another agent (pid {first.pid})".encode() in output
    first.kill()
    await first.wait()
    third = await start(*lock, SIGNALBOX_KEY="k")
    await scripted.until(lambda: scripted.connections == 2, 15)
    third.terminate()
    await asyncio.wait_for(third.communicate(), 10)


async def test_a_refused_key_ends_it_with_a_sentence(scripted: ScriptedServer):
    scripted.answer = lambda frame: scripted.refuse(frame, "unauthenticated")
    process = await start("--url", scripted.url, SIGNALBOX_KEY="k")
    output, _ = await asyncio.wait_for(process.communicate(), 10)
    assert process.returncode == 4
    assert b"No: unauthenticated. Stopping." in output
    assert b"Traceback" not in output


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["--key-file", "/nowhere/key"], "No such file"),
        (["--slots", "0"], "--slots must be 1 or more"),
        (["--url", "ftp://x"], "is not an address"),
        (["--cwd", "/nowhere"], "there is no directory /nowhere"),
        (["--allow", "git 'log"], "--allow"),
        ([], "no API key"),
    ],
)
def test_wrong_use_is_answered_with_a_sentence(args, sentence, monkeypatch, capsys):
    for name in ("SIGNALBOX_KEY", "SIGNALBOX_KEY_FILE", "SIGNALBOX_URL"):
        monkeypatch.delenv(name, raising=False)
    if "no API key" not in sentence:
        monkeypatch.setenv("SIGNALBOX_KEY", "k")
    assert main(args) == 2
    assert sentence in capsys.readouterr().err
