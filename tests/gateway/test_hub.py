"""The hub: hints, gaps, lives of a topic, and readers who know more than it does."""

import asyncio

from tests.gateway.fakes import Client


async def test_prune_below_a_tail_that_missed_hints(hub, topic, write):
    from apps.events.declare import Retention
    from apps.events.retention import prune
    from apps.events.threads import in_writer

    alice = Client(topic)
    await alice.follow()
    hub.holding = True
    await write(topic, *"abcd")
    await write(topic, *"efghijkl")
    await hub.look()
    hub.held.clear()
    await in_writer(prune, {"story": Retention(events=0)})
    await hub.look()
    await asyncio.sleep(0.1)
    alice.apply()
    assert alice.cursor == 12
