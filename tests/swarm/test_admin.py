"""History is looked at in the admin, and not edited."""

import pytest
from django.urls import reverse

from apps.tasks.models import Task
from tests.tasks.worker import Worker

pytestmark = pytest.mark.django_db


def test_staff_sees_projects_runs_and_tasks(admin_client, write_project, start, agent_key):
    run = start(write_project({"lint": {}}))
    Worker(agent_key).carry_out_all()
    rows = [("swarm_project", run.project_id), ("swarm_run", run.pk), ("tasks_task", Task.objects.get().pk)]

    for name, pk in rows:
        assert admin_client.get(reverse(f"admin:{name}_changelist"), {"q": "lint"}).status_code == 200
        assert admin_client.get(reverse(f"admin:{name}_change", args=[pk])).status_code == 200


def test_history_is_not_edited(admin_client, write_project, start):
    run = start(write_project({"lint": {}}))

    for name, pk in [("swarm_run", run.pk), ("tasks_task", Task.objects.get().pk)]:
        assert admin_client.get(reverse(f"admin:{name}_add")).status_code == 403
        assert admin_client.post(reverse(f"admin:{name}_change", args=[pk]), {"status": "failed"}).status_code == 403
        assert admin_client.post(reverse(f"admin:{name}_delete", args=[pk]), {"post": "yes"}).status_code == 403
