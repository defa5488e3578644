from io import StringIO
from threading import Thread

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.accounts.models import Team
from apps.swarm.models import Project, Run
from apps.swarm.services import examples, load_examples
from tests.tasks.worker import Worker

YAML = "name: Nightly\nstages: [{name: Test, steps: [{name: unit, run: make test, label: local}]}]"


def manage(*args):
    out = StringIO()
    call_command(*args, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_examples_are_loaded_once_or_often(team):
    assert {project.slug for project in load_examples(team, examples())} == {"check-this-repository", "hello"}
    before = list(Project.objects.order_by("pk").values_list("pk", "slug"))

    load_examples(team, examples())

    assert list(Project.objects.order_by("pk").values_list("pk", "slug")) == before


@pytest.mark.django_db
def test_only_examples_that_agents_can_carry_out_where_they_are_need_be_offered(team, tmp_path, admin_user):
    manage("prepare", "--key-file", str(tmp_path / "key"), "--example", "hello")
    assert [project.slug for project in Project.objects.all()] == ["hello"]
    with pytest.raises(CommandError, match="invalid choice: 'goodbye'"):
        manage("prepare", "--key-file", str(tmp_path / "key"), "--example", "goodbye")


@pytest.mark.django_db
def test_a_file_becomes_a_project_and_another_version_of_it(team, tmp_path):
    file = tmp_path / "nightly.yaml"
    for command in ("make test", "make check"):
        file.write_text(YAML.replace("make test", command))
        assert "Nightly (nightly) is ready" in manage("load_project", str(file), "--team", team.name)
        assert Project.objects.get().definition["stages"][0]["steps"][0]["run"] == command


@pytest.mark.django_db
def test_a_wrong_file_gets_a_sentence(team, tmp_path):
    file = tmp_path / "nightly.yaml"
    with pytest.raises(CommandError, match="can't be read"):
        manage("load_project", str(file))
    file.write_text(YAML.replace("run:", "rnu:"))
    with pytest.raises(CommandError, match=r'step 1 "unit": run: is missing'):
        manage("load_project", str(file))


@pytest.mark.django_db
def test_a_team_is_found_by_name_or_id(team, tmp_path):
    file = tmp_path / "nightly.yaml"
    file.write_text(YAML)
    other = Team.objects.create(name="Other")
    manage("load_project", str(file), "--team", str(other.pk))
    assert Project.objects.get().team == other

    with pytest.raises(CommandError, match='no team called "Nobody"'):
        manage("load_project", str(file), "--team", "Nobody")
    Team.objects.create(name="Other")
    with pytest.raises(CommandError, match='several teams called "Other"'):
        manage("load_project", str(file), "--team", "Other")


@pytest.mark.django_db
def test_a_run_is_started_from_the_command_line(write_project):
    write_project({"lint": {}})

    run_id = manage("run_project", "Check").strip()

    assert str(Run.objects.get(by="system").pk) == run_id


@pytest.mark.django_db
def test_an_unknown_project_gets_a_sentence(write_project):
    write_project({"lint": {}})

    with pytest.raises(CommandError, match=r'no project "Chekc"\. There are: check\.'):
        manage("run_project", "Chekc")


def in_thread(work):
    def run():
        try:
            work()
        finally:
            connection.close()

    thread = Thread(target=run)
    thread.start()
    return thread


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("exit_code", "ending"), [(0, "completed"), (3, "failed")])
def test_following_prints_the_log_and_tells_how_it_ended(write_project, agent_key, exit_code, ending):
    write_project({"lint": {}})
    worker = Worker(agent_key)

    def work():
        while not worker.carry_out_all(exit_code):
            pass

    thread = in_thread(work)
    out = StringIO()
    try:
        if exit_code:
            with pytest.raises(CommandError, match="Check: failed") as failed:
                call_command("run_project", "check", "--follow", stdout=out)
            assert failed.value.returncode == 1
        else:
            call_command("run_project", "check", "--follow", stdout=out)
            assert "Check: completed" in out.getvalue()
    finally:
        thread.join()
    assert "[lint] $ make lint" in out.getvalue()
    assert f"[lint] lint {ending}" in out.getvalue()
