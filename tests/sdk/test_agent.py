import asyncio
import os
import sys
from typing import Any

import pytest
from signalbox_agent.policy import Policy

from tests.sdk.server import TERMINAL, ScriptedServer


async def test_a_command_is_claimed_run_printed_and_reported(scripted: ScriptedServer, agent):
    agent()
    await scripted.until(lambda: scripted.connections)
    await scripted.request("c", shell="echo hello; exit 3")
    end = await scripted.ended("c")
    assert scripted.states("c") == ["running", "failed"]
    assert scripted.text("c") == "hello\r\n"
    assert end["exit_code"] == 3
    assert end["cpu_seconds"] >= 0
    order = [(frame["type"], frame["id"]) for frame in scripted.accepted.values() if frame["id"].startswith("c:")]
    assert order == [("command:state", "c:running"), ("terminal:output", "c:0"), ("command:state", "c:end")]
    assert scripted.of("terminal:output")[0]["topic"] == TERMINAL


async def test_it_starts_nothing_that_it_was_not_given(scripted: ScriptedServer, agent, tmp_path):
    agent()
    await scripted.until(lambda: scripted.connections)
    scripted.answer = lambda frame: (
        scripted.refuse(frame, "conflict") if frame["id"] == "c:running" else scripted.ack(frame)
    )
    await scripted.request("c", shell=f"touch {tmp_path}/started")
    await scripted.request("d", shell="true")
    await scripted.ended("d")
    assert not (tmp_path / "started").exists()
    assert scripted.states("c") == []


async def test_a_request_that_comes_twice_runs_once(scripted: ScriptedServer, agent, tmp_path):
    agent(slots=2)
    await scripted.until(lambda: scripted.connections)
    await scripted.request("c", shell=f"echo x >> {tmp_path}/count; sleep 0.3")
    await scripted.request("c", shell=f"echo x >> {tmp_path}/count; sleep 0.3")
    await scripted.ended("c")
    await asyncio.sleep(0.2)
    assert (tmp_path / "count").read_text() == "x\n"


async def test_what_has_ended_is_not_claimed_again(scripted: ScriptedServer, agent):
    """The server may replay the inbox from below a command's end."""
    agent()
    await scripted.until(lambda: scripted.connections)
    for name in ("c", "c", "d"):
        await scripted.request(name, shell="true")
        await scripted.ended(name)
    claims = [frame["id"] for frame in scripted.received if frame["data"].get("status") == "running"]
    assert claims == ["c:running", "d:running"]


async def test_a_request_that_comes_again_while_its_claim_is_refused_is_claimed_again(scripted: ScriptedServer, agent):
    agent()
    await scripted.until(lambda: scripted.connections)
    refused: list[dict[str, Any]] = []

    def refuse_the_first_claim(frame):
        if frame["id"] != "c:running" or refused:
            return scripted.ack(frame)
        refused.append(frame)
        return None

    scripted.answer = refuse_the_first_claim
    await scripted.request("c", shell="true")
    await scripted.until(lambda: refused)
    again = scripted.append("command:request", command_id="c", kind="shell", spec={"shell": "true"}, attempt=1)
    await scripted.push(scripted.refuse(refused[0], "conflict"), again)
    assert (await scripted.ended("c"))["status"] == "succeeded"


async def test_it_runs_as_many_as_it_has_slots(scripted: ScriptedServer, agent):
    agent(slots=2)
    await scripted.until(lambda: scripted.connections)
    for name in ("a", "b", "c"):
        await scripted.request(name, shell="sleep 0.5")
    await scripted.until(lambda: len(scripted.of("command:state")) == 2)
    await asyncio.sleep(0.2)
    assert scripted.states("c") == []
    await scripted.ended("c")


async def test_what_the_operator_does_not_allow_fails_at_once(scripted: ScriptedServer, agent, tmp_path):
    agent(policy=Policy(["git *"], base=tmp_path))
    await scripted.until(lambda: scripted.connections)
    await scripted.request("c", argv=["rm", "-rf", "/"])
    end = await scripted.ended("c")
    assert (end["status"], end["error"]) == ("failed", "'rm -rf /' is not on this agent's allow-list.")


@pytest.mark.parametrize(
    ("spec", "why"),
    [
        ({"shell": "true", "cwd": "a" * 300}, "File name too long"),
        ({"shell": "true", "cwd": "loop"}, "loop"),
        ({"shell": "true", "cwd": "x/" * 3000}, ""),
        ({"argv": ["y" * 5000]}, "yyy"),
    ],
    ids=["long name", "loop", "long path", "long program"],
)
async def test_whatever_is_wrong_with_a_claimed_command_it_ends(scripted: ScriptedServer, agent, tmp_path, spec, why):
    (tmp_path / "loop").symlink_to("loop")
    agent()
    await scripted.until(lambda: scripted.connections)
    await scripted.request("c", **spec)
    end = await scripted.ended("c")
    assert end["status"] == "failed"
    assert why in end["error"]
    assert len(end["error"]) <= 4000


async def test_a_command_for_which_there_is_no_terminal_fails(scripted: ScriptedServer, agent, monkeypatch):
    def openpty():
        raise OSError("out of pty devices")

    monkeypatch.setattr(os, "openpty", openpty)
    agent()
    await scripted.until(lambda: scripted.connections)
    await scripted.request("c", shell="true")
    end = await scripted.ended("c")
    assert (end["status"], end["error"]) == ("failed", "This agent could not carry it out: out of pty devices")


async def test_a_directory_whose_name_is_no_unicode_can_be_spoken_of(scripted: ScriptedServer, agent, tmp_path):
    agent(policy=Policy(["true"], base=tmp_path / os.fsdecode(b"\xff")))
    await scripted.until(lambda: scripted.connections)
    await scripted.request("c", argv=["true"], cwd="..")
    assert "works in" in (await scripted.ended("c"))["error"]


async def test_a_kind_that_it_does_not_know_fails_at_once(scripted: ScriptedServer, agent):
    agent()
    await scripted.until(lambda: scripted.connections)
    await scripted.say("command:request", command_id="c", kind="chat", spec={})
    assert "kind 'chat'" in (await scripted.ended("c"))["error"]


async def test_an_interrupt_is_confirmed_step_by_step(scripted: ScriptedServer, agent):
    agent()
    await scripted.until(lambda: scripted.connections)
    await scripted.request("c", shell="echo up; sleep 30")
    await scripted.until(lambda: scripted.of("terminal:output"))
    await asyncio.sleep(0.2)
    await scripted.say("command:interrupt", command_id="c", by="alice")
    end = await scripted.ended("c")
    assert scripted.states("c") == ["running", "delivered", "acknowledged", "interrupted"]
    assert end["exit_code"] == 130


async def test_what_is_interrupted_before_it_has_a_slot_never_starts(scripted: ScriptedServer, agent):
    agent()
    await scripted.until(lambda: scripted.connections)
    await scripted.request("a", shell="sleep 0.4")
    await scripted.request("b", shell="true")
    await scripted.say("command:interrupt", command_id="b", by="alice")
    await scripted.ended("a")
    await asyncio.sleep(0.2)
    assert scripted.states("b") == []


async def test_what_is_over_before_it_has_a_slot_is_not_even_claimed(scripted: ScriptedServer, agent):
    agent()
    await scripted.until(lambda: scripted.connections)
    await scripted.request("a", shell="sleep 0.4")
    await scripted.request("b", shell="true")
    await scripted.say("command:state", command_id="b", status="interrupted")
    await scripted.ended("a")
    await asyncio.sleep(0.2)
    assert scripted.states("b") == []


async def test_an_offer_that_was_taken_back_is_not_claimed(scripted: ScriptedServer, agent):
    agent()
    await scripted.until(lambda: scripted.connections)
    await scripted.request("a", shell="sleep 0.4")
    await scripted.request("b", shell="true")
    await scripted.say("command:state", command_id="b", status="queued")
    await scripted.ended("a")
    await asyncio.sleep(0.2)
    assert scripted.states("b") == []


async def test_a_claim_under_way_tells_whether_what_was_taken_back_came_again(scripted: ScriptedServer, agent):
    agent()
    await scripted.until(lambda: scripted.connections)
    scripted.answer = lambda frame: None if frame["type"] == "command:state" else scripted.ack(frame)
    await scripted.request("c", shell="exit 3")
    await scripted.until(lambda: [f for f in scripted.received if f["type"] == "command:state"])
    await scripted.say("command:state", command_id="c", status="queued")
    await scripted.request("c", shell="exit 3")
    await asyncio.sleep(0.2)
    scripted.answer = scripted.ack
    scripted.drop()
    end = await scripted.ended("c")
    assert (end["status"], end["exit_code"]) == ("failed", 3)


async def test_output_while_the_server_is_away_arrives_whole_and_in_order(scripted: ScriptedServer, agent):
    agent()
    await scripted.until(lambda: scripted.connections)
    count = f"{sys.executable} -uc \"import time\nfor n in range(150): print('line', n); time.sleep(0.03)\""
    await scripted.request("c", shell=count)
    await scripted.until(lambda: len(scripted.of("terminal:output")) > 3)
    await scripted.stop()
    await asyncio.sleep(0.6)
    await scripted.start()
    await scripted.until(lambda: len(scripted.of("agent:connect")) == 2)
    assert [frame for frame in scripted.received if frame["type"] == "agent:connect"][-1]["data"]["running"] == ["c"]
    end = await scripted.ended("c", 20)
    assert end["status"] == "succeeded"
    assert scripted.text("c") == "".join(f"line {n}\r\n" for n in range(150))


async def test_a_command_that_ended_while_the_server_was_away_is_reported_after_its_output(
    scripted: ScriptedServer, agent
):
    agent()
    await scripted.until(lambda: scripted.connections)
    await scripted.request("c", shell="echo one; sleep 0.4; echo two; exit 5")
    await scripted.until(lambda: scripted.of("terminal:output"))
    await scripted.stop()
    await asyncio.sleep(0.8)
    await scripted.start()
    assert (await scripted.ended("c"))["exit_code"] == 5
    assert scripted.text("c") == "one\r\ntwo\r\n"


async def test_five_megabytes_of_split_characters_arrive_whole(scripted: ScriptedServer, agent):
    agent()
    await scripted.until(lambda: scripted.connections)
    await scripted.request("c", shell=f"{sys.executable} -c \"print('aé€😀' * 500_000, end='')\"")
    await scripted.ended("c", 30)
    assert scripted.text("c") == "aé€😀" * 500_000


async def test_what_the_server_gave_up_is_stopped(scripted: ScriptedServer, agent):
    agent()
    await scripted.until(lambda: scripted.connections)
    await scripted.request("c", shell="echo up; sleep 30")
    await scripted.until(lambda: scripted.of("terminal:output"))
    scripted.welcome |= {"stop": ["c"]}
    scripted.drop()
    assert (await scripted.ended("c"))["status"] == "interrupted"


@pytest.mark.parametrize("status", ["lost", "failed"])
async def test_what_the_server_gives_up_meanwhile_is_stopped_at_once(scripted: ScriptedServer, agent, status):
    scripted.welcome |= {"heartbeat_seconds": 60}
    agent()
    await scripted.until(lambda: scripted.connections)
    await scripted.request("c", shell="echo up; sleep 30")
    await scripted.until(lambda: scripted.of("terminal:output"))
    await scripted.say("command:state", command_id="c", status=status)
    end = await scripted.ended("c")
    assert (end["status"], end["error"]) == ("interrupted", "The server had given this command up.")


async def test_its_heartbeat_tells_what_it_costs_and_runs(scripted: ScriptedServer, agent):
    agent()
    await scripted.until(lambda: scripted.connections)
    await scripted.request("c", shell="sleep 0.6")
    await scripted.until(lambda: any(f["data"]["running"] == ["c"] for f in scripted.of("agent:status")))
    metrics = scripted.of("agent:status")[-1]["data"]["metrics"]
    assert metrics["rss_bytes"] > 1_000_000
    assert metrics.keys() == {"cpu_percent", "rss_bytes", "load"}


async def test_it_tells_what_has_ended_while_the_output_is_still_under_way(scripted: ScriptedServer, agent, tmp_path):
    agent()
    await scripted.until(lambda: scripted.connections)
    scripted.answer = lambda frame: None if frame["type"] == "terminal:output" else scripted.ack(frame)
    await scripted.request("c", shell=f"echo up; until [ -e {tmp_path}/enough ]; do sleep 0.02; done")
    await scripted.until(lambda: any(f["data"]["running"] == ["c"] for f in scripted.of("agent:status")))
    assert all(frame["data"]["ended"] == [] for frame in scripted.of("agent:status"))
    (tmp_path / "enough").touch()
    await scripted.until(lambda: scripted.of("agent:status")[-1]["data"]["ended"] == ["c"])
    scripted.drop()
    await scripted.until(lambda: len(scripted.of("agent:connect")) == 2)
    assert scripted.of("agent:connect")[-1]["data"]["ended"] == ["c"]
    scripted.answer = scripted.ack
    scripted.drop()
    assert (await scripted.ended("c"))["status"] == "succeeded"


async def test_its_heartbeat_goes_on_without_descriptors(scripted: ScriptedServer, agent, monkeypatch):
    def fail(*_, **__):
        raise OSError(24, "Too many open files")

    agent()
    await scripted.until(lambda: scripted.of("agent:status"))
    monkeypatch.setattr("psutil.Process", fail)
    monkeypatch.setattr("os.getloadavg", fail)
    scripted.accepted.clear()
    await scripted.until(lambda: len(scripted.of("agent:status")) > 1)


async def test_it_does_not_go_on_without_a_heartbeat(scripted: ScriptedServer, agent):
    worker = agent()
    await scripted.until(lambda: scripted.of("agent:status"))
    await scripted.request("c", shell="echo up; sleep 30")
    await scripted.until(lambda: scripted.of("terminal:output"))
    worker.client.welcome["heartbeat_seconds"] = "soon"
    assert await asyncio.wait_for(worker.running, 15) == 4
    assert scripted.end_of("c")["status"] == "interrupted"


async def test_it_stops_when_another_process_has_its_name(scripted: ScriptedServer, agent):
    worker = agent()
    await scripted.until(lambda: scripted.of("agent:status"))
    scripted.answer = lambda frame: (
        scripted.refuse(frame, "conflict") if frame["type"] == "agent:status" else scripted.ack(frame)
    )
    assert await asyncio.wait_for(worker.running, 5) == 4


async def test_one_that_was_deleted_introduces_itself_again(scripted: ScriptedServer, agent):
    agent()
    await scripted.until(lambda: scripted.of("agent:status"))
    scripted.answer = lambda frame: (
        scripted.refuse(frame, "not_found")
        if frame["type"] == "agent:status" and scripted.connections == 1
        else scripted.ack(frame)
    )
    await scripted.until(lambda: scripted.connections == 2)
    scripted.accepted.clear()
    await scripted.request("c", shell="echo hello")
    await scripted.ended("c")
    await scripted.until(lambda: scripted.of("agent:status"))


async def test_leaving_it_interrupts_what_runs_and_says_goodbye(scripted: ScriptedServer, agent):
    worker = agent()
    await scripted.until(lambda: scripted.connections)
    await scripted.request("c", shell="echo up; sleep 30")
    await scripted.until(lambda: scripted.of("terminal:output"))
    worker.leave()
    assert await asyncio.wait_for(worker.running, 10) == 0
    end = scripted.end_of("c")
    assert (end["status"], end["error"]) == ("interrupted", "The agent was stopped.")
    assert scripted.of("agent:status")[-1]["data"]["leaving"] is True


async def test_leaving_it_waits_for_nothing_that_never_began(scripted: ScriptedServer, agent):
    worker = agent()
    await scripted.until(lambda: scripted.connections)
    scripted.answer = lambda frame: None if frame["type"] == "command:state" else scripted.ack(frame)
    await scripted.request("c", shell="sleep 30")
    await scripted.until(lambda: [f for f in scripted.received if f["type"] == "command:state"])
    await scripted.stop()
    worker.leave()
    assert await asyncio.wait_for(worker.running, 5) == 0


async def test_it_gives_up_when_the_server_is_gone_for_too_long(scripted: ScriptedServer, agent):
    worker = agent(give_up_after=0.8)
    await scripted.until(lambda: scripted.connections)
    await scripted.request("c", shell="echo up; sleep 30")
    await scripted.until(lambda: scripted.of("terminal:output"))
    await scripted.stop()
    assert await asyncio.wait_for(worker.running, 10) == 5
