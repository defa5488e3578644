from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.events import store
from apps.swarm.models import Project, Run
from tests.swarm.replay import replay
from tests.tasks.worker import Worker

pytestmark = pytest.mark.django_db

YAML = """
name: Nightly
stages:
  - name: Test
    steps:
      - {name: unit, run: make test, label: local}
"""


@pytest.fixture
def as_():
    """`as_(bob)`: a browser in which bob is logged in."""

    def log_in(person):
        browser = Client()
        browser.force_login(person)
        return browser

    return log_in


def write(browser, body=YAML, type="application/yaml", verb="post", path="/api/v1/projects/"):
    return getattr(browser, verb)(path, body, content_type=type)


@pytest.fixture
def project(as_, alice):
    return write(as_(alice)).json()


def test_an_owner_writes_a_project_as_yaml(as_, alice, team):
    answer = write(as_(alice))

    assert answer.status_code == 201
    made = answer.json()
    assert (made["name"], made["slug"], made["team_id"], made["latest_run"]) == (
        "Nightly",
        "nightly",
        str(team.pk),
        None,
    )
    assert made["definition"]["stages"][0]["steps"][0]["run"] == "make test"


@pytest.mark.parametrize("type", ["application/yaml", "text/yaml", "text/plain"])
def test_yaml_has_several_names(as_, alice, type):
    assert write(as_(alice), type=type).status_code == 201


def test_a_project_may_be_json_too(as_, alice, project):
    browser = as_(alice)
    stages = project["definition"]["stages"]
    for name, body in [
        ("Plain", {"name": "Plain", "stages": stages}),
        ("Wrapped", {"definition": {"name": "Wrapped", "stages": stages}}),
        ("Text", {"yaml": YAML.replace("Nightly", "Text")}),
    ]:
        answer = write(browser, body, "application/json")
        assert (answer.status_code, answer.json()["name"]) == (201, name)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (YAML.replace("run:", "rnu:"), 'stage 1 "Test", step 1 "unit": run: is missing'),
        ("name: [", "This is not YAML: line 1"),
        ("", "Send the project as"),
        ("[]", "A project is a mapping"),
        (b"\xff", "not UTF-8"),
        ('name: x\nstages: [{name: "\\uD800", steps: []}]', r'stage 1 "\ud800": steps: must not be empty'),
        ('name: x\n"\\uD800": 1\nstages: []', "must not contain half of a surrogate pair"),
        (YAML.replace("make test", '"echo \\uD800"'), "run: must not contain half"),
        (YAML.replace("local", "local, timeout: 1" + "0" * 400), "timeout: write seconds"),
    ],
)
def test_a_mistake_is_named(as_, alice, body, message):
    answer = write(as_(alice), body)

    assert answer.status_code == 400
    assert message in answer.json()["error"]["message"]


@pytest.mark.parametrize("body", [{}, [], {"yaml": YAML, "definition": {}}, {"yaml": 5}, {"stages": 3}])
def test_a_wrong_json_body_gets_a_sentence(as_, alice, body):
    answer = write(as_(alice), body, "application/json")

    assert answer.status_code == 400
    assert answer.json()["error"]["message"]


@pytest.mark.parametrize(
    "body", ['{"definition": ' + "[" * 50_000 + "]" * 50_000 + "}", '{"stages": [{"timeout": 1' + "0" * 400 + "}]}"]
)
def test_json_is_bounded_here_too(as_, alice, body):
    answer = write(as_(alice), body, "application/json")

    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid")


def test_a_slug_is_taken_once(as_, alice, project):
    assert write(as_(alice)).status_code == 409


def test_a_project_is_replaced(as_, alice, bob, project):
    path = f"/api/v1/projects/{project['id']}/"
    answer = write(as_(alice), YAML.replace("make test", "make check"), verb="put", path=path)

    assert answer.json()["definition"]["stages"][0]["steps"][0]["run"] == "make check"
    assert Project.objects.count() == 1
    assert write(as_(bob), verb="put", path=path).status_code == 403


def test_a_run_is_started_and_watched(as_, bob, victor, project, agent_key):
    answer = as_(bob).post(f"/api/v1/projects/{project['id']}/runs/")
    assert answer.status_code == 201
    made = answer.json()
    assert made | {"topic": f"run.{made['id']}", "status": "running", "by": "bob"} == made

    Worker(agent_key).carry_out_all()

    shown = as_(victor).get(f"/api/v1/runs/{made['id']}/").json()
    assert shown["status"] == "completed"
    cursor = shown.pop("cursor")
    assert shown == replay(made["id"])
    at = store.position(made["topic"])
    assert cursor == {"epoch": at.epoch, "seq": at.seq}


def test_the_same_idempotency_key_is_the_same_run(as_, bob, project):
    path = f"/api/v1/projects/{project['id']}/runs/"
    first, again = (as_(bob).post(path, headers={"Idempotency-Key": "once"}).json() for _ in range(2))

    assert first["id"] == again["id"]
    assert Run.objects.count() == 1


def test_one_idempotency_key_for_a_task_and_a_run_makes_both(as_, bob, project):
    same_key = {"headers": {"Idempotency-Key": "once"}}
    task = as_(bob).post("/api/v1/tasks/", {"query": "uptime"}, content_type="application/json", **same_key)
    run = as_(bob).post(f"/api/v1/projects/{project['id']}/runs/", **same_key)

    assert (task.status_code, run.status_code) == (201, 201)
    assert str(Run.objects.get().pk) == run.json()["id"]


def test_runs_are_listed_newest_first(as_, bob, project):
    browser = as_(bob)
    ids = [browser.post(f"/api/v1/projects/{project['id']}/runs/").json()["id"] for _ in range(3)]

    for path in ("/api/v1/runs/", f"/api/v1/runs/?project={project['id']}", f"/api/v1/projects/{project['id']}/runs/"):
        page = browser.get(path).json()
        assert [run["id"] for run in page["results"]] == ids[::-1]
        assert page["results"][0]["total"] == 1
    assert browser.get(f"/api/v1/runs/?project={uuid4()}").json()["count"] == 0
    assert browser.get(f"/api/v1/projects/{project['id']}/").json()["latest_run"]["id"] == ids[-1]


def test_a_run_is_cancelled(as_, bob, project):
    browser = as_(bob)
    run = browser.post(f"/api/v1/projects/{project['id']}/runs/").json()["id"]

    assert browser.post(f"/api/v1/runs/{run}/cancel/").json()["status"] == "cancelled"
    assert browser.post(f"/api/v1/runs/{run}/cancel/").status_code == 409


def test_dashboards_find_the_same_under_their_own_paths(as_, bob, project):
    browser = as_(bob)
    swarms = "/v1/public/agent-swarms/"
    run = browser.post(f"{swarms}{project['id']}/runs/").json()

    assert browser.get(swarms).json() == browser.get("/api/v1/projects/").json()
    assert browser.get(f"{swarms}{project['id']}/").json() == browser.get(f"/api/v1/projects/{project['id']}/").json()
    assert browser.get(f"{swarms}runs/{run['id']}/").json() == browser.get(f"/api/v1/runs/{run['id']}/").json()


def test_logs_are_read_page_by_page_both_ways(as_, bob, project, agent_key):
    browser = as_(bob)
    path = f"/v1/public/agent-swarms/{project['id']}/logs/"
    assert browser.get(path).json()["logs"] == []
    browser.post(f"/api/v1/projects/{project['id']}/runs/")
    Worker(agent_key).carry_out_all()

    everything = browser.get(path).json()
    texts = [line["data"]["text"].partition(" after")[0].strip() for line in everything["logs"]]
    assert texts == ["$ make test", "unit completed"]
    assert everything["next_after"] == everything["head"]

    first = browser.get(f"{path}?limit=1").json()
    second = browser.get(f"{path}?limit=1&after={first['next_after']}&epoch={first['epoch']}").json()
    assert first["logs"] + second["logs"] == everything["logs"]
    last = browser.get(f"{path}?limit=1&before={everything['head'] + 1}").json()
    before = browser.get(f"{path}?limit=1&before={last['next_before']}").json()
    assert before["logs"] + last["logs"] == everything["logs"]
    assert before["next_before"] is None

    for below in (10**9, 0):
        page = browser.get(f"{path}?before={below}").json()
        rest = browser.get(f"{path}?after={page['next_after']}&epoch={page['epoch']}").json()
        assert (rest["reset"], page["logs"] + rest["logs"]) == (False, everything["logs"])

    assert browser.get(f"{path}?after={everything['head'] + 9}").json()["reset"] is True
    assert browser.get(f"{path}?after=x").status_code == 400


def test_the_logs_of_a_project_are_those_of_its_own_runs(as_, alice, project):
    browser = as_(alice)
    other = write(browser, YAML.replace("Nightly", "Other")).json()
    run = browser.post(f"/api/v1/projects/{project['id']}/runs/").json()["id"]
    answers = [browser.get(f"/v1/public/agent-swarms/{of['id']}/logs/?run={run}") for of in (project, other)]
    assert [answer.status_code for answer in answers] == [200, 404]


def test_who_may_do_what(as_, client, alice, bob, victor, mallory, team, project):
    run = as_(bob).post(f"/api/v1/projects/{project['id']}/runs/").json()["id"]
    id = project["id"]

    for person in (alice, bob, victor):
        for path in (f"/api/v1/projects/{id}/", f"/api/v1/projects/{id}/runs/", f"/api/v1/runs/{run}/"):
            assert as_(person).get(path).status_code == 200
        assert as_(person).get(f"/v1/public/agent-swarms/{id}/logs/").status_code == 200

    assert as_(victor).post(f"/api/v1/projects/{id}/runs/").status_code == 403
    assert as_(victor).post(f"/api/v1/runs/{run}/cancel/").status_code == 403
    for person in (bob, victor):
        assert write(as_(person), YAML.replace("Nightly", "Other")).status_code == 403
    assert write(as_(mallory), path=f"/api/v1/projects/?team={team.pk}").status_code == 404

    nothing = uuid4()
    for verb, path, real in [
        ("get", "/api/v1/projects/{}/", id),
        ("put", "/api/v1/projects/{}/", id),
        ("get", "/api/v1/projects/{}/runs/", id),
        ("post", "/api/v1/projects/{}/runs/", id),
        ("get", "/v1/public/agent-swarms/{}/logs/", id),
        ("get", "/api/v1/runs/{}/", run),
        ("post", "/api/v1/runs/{}/cancel/", run),
    ]:
        theirs, none = (getattr(as_(mallory), verb)(path.format(key)) for key in (real, nothing))
        assert theirs.status_code == none.status_code == 404
        assert theirs.json() == none.json()
    for path in ("/api/v1/projects/", "/api/v1/runs/", "/v1/public/agent-swarms/"):
        assert as_(mallory).get(path).json()["count"] == 0
        assert client.get(path).status_code == 401


def test_who_has_a_very_long_name_starts_runs_too(as_, bob, project):
    bob.first_name, bob.last_name = "A" * 150, "L" * 150
    bob.save()
    answer = as_(bob).post(f"/api/v1/projects/{project['id']}/runs/")
    assert (answer.status_code, answer.json()["by"]) == (201, "A" * 150)


@pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL plans by how much there is, which is nothing here"
)
@pytest.mark.parametrize("listed", ["runs", "tasks", "commands"])
def test_what_is_newest_is_listed_without_sorting_all_that_came_before(listed, as_, bob, write_project, start):
    start(write_project({"unit": {}}))
    browser = as_(bob)
    with CaptureQueriesContext(connection) as asked:
        assert browser.get(f"/api/v1/{listed}/").json()["count"] == 1
    [list_query] = [query["sql"] for query in asked.captured_queries if "ORDER BY" in query["sql"]]
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {list_query}")
        steps = [step for *_, step in cursor.fetchall()]
    assert not [step for step in steps if "FOR ORDER BY" in step], steps
