"""The server itself, in this process."""

import asyncio
import signal
import threading

import pytest
import uvicorn
from django.core.management import CommandError, call_command

from project import serving
from project.serving import Server


async def test_it_stops_when_what_it_looks_after_has_and_at_a_second_ctrl_c_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    may_end, stopped = threading.Event(), asyncio.Event()

    async def stop(server: uvicorn.Server, sockets: object = None) -> None:
        stopped.set()

    monkeypatch.setattr(uvicorn.Server, "shutdown", stop)
    config = uvicorn.Config("project.asgi:application", log_config=None)
    impatient = Server(config, stopping=may_end.wait)
    impatient.handle_exit(signal.SIGINT, None)
    stopping = asyncio.create_task(impatient.shutdown())
    await asyncio.sleep(0.3)
    assert not stopped.is_set()
    impatient.handle_exit(signal.SIGINT, None)
    await stopping
    assert stopped.is_set() and not may_end.is_set()

    stopped.clear()
    patient = Server(config, stopping=may_end.wait)
    stopping = asyncio.create_task(patient.shutdown())
    await asyncio.sleep(0.3)
    assert not stopped.is_set()
    may_end.set()
    await stopping
    assert stopped.is_set()


@pytest.mark.parametrize("port", ["0", "65536", "70000", "-1", "http", ""])
def test_what_is_no_port_is_refused_with_a_sentence(
    port: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(CommandError, match=f"'{port}' is not a port from 1 to 65535"):
        call_command("serve", f"--port={port}")
    monkeypatch.setenv("PORT", port)
    monkeypatch.setattr("sys.argv", ["serving"])
    with pytest.raises(SystemExit):
        serving.main()
    assert f"'{port}' is not a port from 1 to 65535" in capsys.readouterr().err
