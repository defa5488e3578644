"""Whatever happens between a database and its readers, what a reader has applied is what the database says."""

import asyncio
import time
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from apps.events import log, store
from apps.events.models import Head, StoredEvent
from apps.events.threads import in_reader, in_writer
from apps.gateway import backlog, followed, reader, tail
from apps.gateway import hub as hubs
from tests.events.story import StoryTopic
from tests.gateway.conftest import start_hub, write_lines
from tests.gateway.fakes import Client

SECONDS = 12


@pytest.fixture
def tiny(monkeypatch, settings):
    """Everything is small, so that a few events already fall off the ring, fill pages and use up credit."""
    monkeypatch.setattr(tail, "RING_EVENTS", 6)
    monkeypatch.setattr(tail, "RING_BYTES", 2_000)
    monkeypatch.setattr(tail, "FRAME_BYTES", 500)
    monkeypatch.setattr(tail, "FRAMES_KEPT", 2)
    monkeypatch.setattr(backlog, "PAGE", 4)
    monkeypatch.setattr(backlog, "PAGES_KEPT", 2)
    monkeypatch.setattr(backlog, "WARM_EVENTS", 5)
    monkeypatch.setattr(reader, "TRY_AGAIN_SECONDS", 0.002)
    monkeypatch.setattr(reader, "TRIES", 1_000_000)
    monkeypatch.setattr(followed, "REORDER_SECONDS", 0.0)
    settings.LIMITS = settings.LIMITS | {"credit_bytes": 700, "frames_per_second": 1_000_000}
    settings.HEADS_CHECK_SECONDS = 3600


class Story(RuleBasedStateMachine):
    """One topic, one hub whose hints go astray, and two clients: one on a server with back-pressure, one without."""

    @initialize()
    def begin(self):
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.topic = StoryTopic(key=uuid4().hex)
        self.written = 0
        self.hub = self.run(start_hub)
        self.hub.holding = True
        self.clients = []
        for i in range(2):
            self.clients.append(Client(self.topic, has_backpressure=i % 2 == 0))
        for client in self.clients:
            self.run(client.follow)
        self.following = {0, 1}

    def run(self, work, *args, **kwargs):
        async def bounded():
            async with asyncio.timeout(10):
                return await work(*args, **kwargs)

        return self.loop.run_until_complete(bounded())

    def call(self, work, *args):
        """On the loop, as everything of the gateway is."""

        async def called():
            work(*args)

        self.run(called)

    # The database

    @rule(
        count=st.integers(1, 9),
        size=st.sampled_from([1, 1, 60, 400]),
        hint=st.sampled_from(["comes", "comes", "comes twice", "waits", "waits", "is lost"]),
    )
    def append(self, count, size, hint):
        texts = [f"{self.written + i} ".ljust(size, ".") for i in range(count)]
        self.written += count
        held = len(self.hub.held)
        self.run(write_lines, self.topic, *texts)
        if str(self.topic) in self.hub._followed:
            self.run(self._arrival, held)
            if hint != "waits":
                arrived = self.hub.held.pop()
                for _ in range({"comes": 1, "comes twice": 2, "is lost": 0}[hint]):
                    self.call(self.hub.deliver, arrived)

    async def _arrival(self, held):
        """Hints leave from another thread; here they arrive in the mailbox before anything else happens."""
        while len(self.hub.held) == held:
            await asyncio.sleep(0)

    @rule(keep=st.integers(0, 8))
    def prune(self, keep):
        def cut():
            with transaction.atomic():
                head = Head.objects.filter(topic=str(self.topic)).first()
                if head and (floor := max(head.floor, head.seq - keep)) > head.floor:
                    Head.objects.filter(topic=str(self.topic)).update(floor=floor)
                    StoredEvent.objects.filter(topic=str(self.topic), seq__lte=floor).delete()

        self.run(in_writer, cut)

    @rule()
    def start_epoch(self):
        self.run(in_writer, store.start_epoch, [str(self.topic)])

    @rule(lost=st.integers(1, 6), told=st.booleans())
    def restore_a_backup(self, lost, told):
        """The newest events vanish. The operator starts a new epoch, or the look at the heads finds it."""

        def go_back():
            with transaction.atomic():
                head = Head.objects.filter(topic=str(self.topic)).first()
                if head is None:
                    return
                seq = max(head.floor, head.seq - lost)
                StoredEvent.objects.filter(topic=str(self.topic), seq__gt=seq).delete()
                Head.objects.filter(topic=str(self.topic)).update(seq=seq)
            if told or not self._hub_knows_more_than(seq):
                store.start_epoch([str(self.topic)])

        self.run(in_writer, go_back)
        self.hub.held.clear()
        self.look_at_the_heads()

    def _hub_knows_more_than(self, seq):
        followed = self.hub._followed.get(str(self.topic))
        return followed is not None and followed.tail.head > seq

    # The hints

    @precondition(lambda self: self.hub.held)
    @rule(which=st.integers(0, 99), again=st.booleans())
    def deliver(self, which, again):
        """Any of them, in any order, once or twice."""
        place = which % len(self.hub.held)
        hint = self.hub.held[place] if again else self.hub.held.pop(place)
        self.call(self.hub.deliver, hint)

    @precondition(lambda self: self.hub.held)
    @rule(which=st.integers(0, 99))
    def lose(self, which):
        self.hub.held.pop(which % len(self.hub.held))

    @rule()
    def deliver_all_in_order(self):
        held, self.hub.held[:] = list(self.hub.held), []
        for hint in held:
            self.call(self.hub.deliver, hint)

    @rule()
    def look_at_the_heads(self):
        self.run(self.hub.look)

    # The readers

    @rule(who=st.integers(0, 1), how=st.sampled_from(["new", "from the start", "again", "again", "without its epoch"]))
    def follow(self, who, how):
        client = self.clients[who]
        match how:
            case "new":
                self.run(client.follow)
            case "from the start":
                self.run(client.follow, after=0)
            case "again":
                self.run(client.follow_again)
            case "without its epoch":
                # Only safe for somebody whose epoch has not changed; the protocol says so.
                if self.run(in_reader, store.position, str(self.topic)).epoch == client.epoch:
                    self.run(client.follow, after=client.cursor)
                else:
                    self.run(client.follow_again)
        self.following.add(who)

    @rule(who=st.integers(0, 1))
    def leave(self, who):
        self.call(self.clients[who].connection.unfollow, str(self.topic))
        self.clients[who].apply()
        self.following.discard(who)

    @rule(who=st.integers(0, 1))
    def read_elsewhere_and_come_back(self, who):
        self.leave(who)
        self.poll(who, 500)
        self.follow(who, "again")

    @rule(who=st.integers(0, 1), limit=st.integers(1, 20))
    def poll(self, who, limit):
        """A client without a socket reads over HTTP; so it may know more than the hub does."""
        if who not in self.following:
            client = self.clients[who]
            client.take_page(
                self.run(in_reader, log.read_after, client.topic, client.cursor, client.epoch or None, limit)
            )

    @rule(who=st.integers(0, 1), room=st.integers(0, 3))
    def stop_reading(self, who, room):
        outlet = self.clients[who].outlet
        outlet.room, outlet.full = room, room == 0

    @rule(who=st.integers(0, 1), room=st.sampled_from([None, 1, 3]))
    def read_on(self, who, room):
        self.clients[who].outlet.free(room)

    @rule(who=st.integers(0, 1))
    def give_credit(self, who):
        self.run(self.clients[who].credit)

    @rule()
    def restart_the_server(self):
        for client in self.clients:
            client.apply()
            # What was on its way is lost with the connection; what had arrived is applied.
        self.clients = [self._reconnected(client) for client in self.clients]
        self.following.clear()
        self.hub = self.run(start_hub)
        self.hub.holding = True

    def _reconnected(self, old):
        new = Client(self.topic, has_backpressure=old.outlet.has_backpressure)
        new.epoch, new.cursor, new.base, new.copy = old.epoch, old.cursor, old.base, old.copy
        return new

    @rule(milliseconds=st.sampled_from([0, 1, 5, 60]))
    def let_time_pass(self, milliseconds):
        self.run(asyncio.sleep, milliseconds / 1000)

    # What must hold

    @invariant()
    def nobody_has_a_gap_or_a_double(self):
        if hasattr(self, "clients"):
            for client in self.clients:
                client.apply()

    @rule()
    def settle(self):
        """Once everybody reads, and hints or the look at the heads did their work, all have the database's story."""
        self.run(self._settle)

    async def _settle(self):
        # What is being read may be older than the newest thing; a server looks again a second later.
        await self._reading_ends()
        await self.hub.look()
        for _ in range(3_000):
            at = await in_reader(store.position, str(self.topic))
            for client in self.clients:
                client.outlet.free()
                await client.credit()
            if all((self.clients[who].epoch, self.clients[who].cursor) == (at.epoch, at.seq) for who in self.following):
                break
            await asyncio.sleep(0.001)
        rows = await in_reader(lambda: list(StoredEvent.objects.filter(topic=str(self.topic)).order_by("seq")))
        texts = {row.seq: row.payload["text"] for row in rows}
        for who in self.following:
            client = self.clients[who]
            assert (client.epoch, client.cursor) == (at.epoch, at.seq), f"client {who} stands at {client.cursor}"
            expected = {seq: text for seq, text in texts.items() if seq > client.base}
            kept = {seq: event["data"]["text"] for seq, event in client.copy.items() if seq in texts}
            assert kept == expected, f"client {who}"

    async def _reading_ends(self):
        followed = self.hub._followed.get(str(self.topic))
        if followed and followed.filling:
            await asyncio.wait([followed.filling])

    def teardown(self):
        if hasattr(self, "loop"):
            try:
                self.settle()
            finally:
                self.loop.run_until_complete(self._end())
                self.loop.close()
                asyncio.set_event_loop(None)

    async def _end(self):
        for client in self.clients:
            await client.connection.end()
        await hubs.stop()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()


def test_what_readers_applied_is_what_the_database_says(transactional_db, tiny):
    """As many stories as there are seconds for, at least a few."""
    until = time.monotonic() + SECONDS
    while True:
        run_state_machine_as_test(
            Story,
            settings=settings(
                phases=[Phase.generate],  # making a failure smaller would take minutes
                max_examples=30,
                stateful_step_count=40,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
                report_multiple_bugs=False,
            ),
        )
        if time.monotonic() > until:
            return
