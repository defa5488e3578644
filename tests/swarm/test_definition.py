from contextlib import suppress

import pytest
from django.conf import settings as django_settings
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.accounts.refusals import Invalid
from apps.swarm.definition import MAX_CHARACTERS, Definition, parse, parse_yaml

HELLO = """
name: Hello
stages:
  - name: Say
    steps:
      - {name: one, run: "echo 'hi there'", label: local, timeout: 5m, env: {COUNT: 1}}
      - {name: One, run: [echo, "a b"], agent: box-2, retries: 2, allow_failure: true, cwd: sub}
  - name: Repeat
    steps:
      - {name: one, run: "ls | wc -l", shell: true, label: local}
"""


def test_a_project_becomes_specs_for_agents():
    steps = [step for _, _, _, step in parse_yaml(HELLO).steps_with_keys()]

    assert [step.spec() for step in steps] == [
        {"argv": ["echo", "hi there"], "env": {"COUNT": "1"}, "timeout": 300.0},
        {"argv": ["echo", "a b"], "cwd": "sub", "env": {}, "timeout": 3600.0},
        {"shell": "ls | wc -l", "env": {}, "timeout": 3600.0},
    ]


def test_every_step_has_a_key_of_its_own():
    assert [key for _, _, key, _ in parse_yaml(HELLO).steps_with_keys()] == ["one", "one-2", "one-3"]


def test_a_command_reads_as_one_line():
    lines = [step.line for _, _, _, step in parse_yaml(HELLO).steps_with_keys()]

    assert lines == ["echo 'hi there'", "echo 'a b'", "ls | wc -l"]


def test_a_command_and_its_variables_are_kept_as_they_are_written():
    project = step(run=["printf", "%s\n", "  two spaces  ", " "], env={"IFS": "\t", "PS1": "$ "}, cwd=" a ")
    unit = parse(project).stages[0].steps[0]

    assert unit.spec()["argv"] == ["printf", "%s\n", "  two spaces  ", " "]
    assert (unit.spec()["env"], unit.spec()["cwd"]) == ({"IFS": "\t", "PS1": "$ "}, " a ")

    line = parse(step(run="cat <<E\n  x\nE\n", shell=True)).stages[0].steps[0]
    assert (line.spec()["shell"], line.line) == ("cat <<E\n  x\nE\n", "cat <<E\n  x\nE")


@pytest.mark.parametrize("number", ["3.10", "010", "0x1F", "1_000", "12:30", "1.5e+3", "-0", ".5"])
def test_a_number_in_an_environment_is_the_text_that_was_written(number):
    project = parse_yaml(HELLO.replace("COUNT: 1", f"COUNT: {number}"))
    assert project.stages[0].steps[0].spec()["env"] == {"COUNT": number}


@pytest.mark.parametrize("line", ["# don't stop\nmake all\n", "cat <<E\nIt's me\nE\n", "echo a # it's fine"])
def test_what_is_for_the_shell_is_read_by_the_shell_alone(line):
    assert parse(step(run=line, shell=True)).stages[0].steps[0].spec()["shell"] == line


def test_what_people_read_is_stripped():
    project = parse(step(name=" unit ", label=" l ") | {"name": " x ", "slug": " y ", "description": " z\n"})
    unit = project.stages[0].steps[0]

    assert (project.name, project.slug, project.description) == ("x", "y", "z")
    assert (unit.name, unit.label) == ("unit", "l")


def test_the_slug_comes_from_the_name_unless_it_is_given():
    assert parse_yaml(HELLO).slug == "hello"
    assert parse_yaml(HELLO.replace("name: Hello", "name: Hello\nslug: greet", 1)).slug == "greet"


def test_what_is_stored_reads_back_the_same():
    definition = parse_yaml(HELLO)

    assert Definition.model_validate(definition.model_dump(mode="json", exclude_defaults=True)) == definition


def test_the_examples_are_projects():
    files = sorted((django_settings.BASE_DIR / "examples").glob("*.yaml"))

    assert {parse_yaml(file.read_text()).slug for file in files} >= {"check-this-repository", "hello"}


def test_the_example_has_stages_and_work_side_by_side():
    check = parse_yaml((django_settings.BASE_DIR / "examples/check-this-repository.yaml").read_text())

    assert len(check.stages) >= 3
    assert sum(len(stage.steps) > 1 for stage in check.stages) >= 2


def step(**fields):
    return {
        "name": "x",
        "stages": [{"name": "Test", "steps": [{"name": "unit", "run": "true", "label": "l"} | fields]}],
    }


HERE = 'stage 1 "Test", step 1 "unit": '


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tiemout": 5}, "tiemout: is not a key that is known here."),
        ({"timeout": "soon"}, 'timeout: write seconds (90) or a text like "90s", "5m" or "1h30m".'),
        ({"timeout": 10**400}, 'timeout: write seconds (90) or a text like "90s", "5m" or "1h30m".'),
        ({"timeout": 0}, "timeout: must be greater than 0."),
        ({"timeout": float("nan")}, "timeout: must be greater than 0."),
        ({"timeout": float("inf")}, "timeout: must be less than or equal to 86400."),
        ({"retries": "many"}, "retries: must be a whole number."),
        ({"retries": 99}, "retries: must be less than or equal to 10."),
        ({"run": 5}, "run: must be text or a list of texts (put numbers in quotes)."),
        ({"run": ["sleep", 5]}, "run: must be text or a list of texts (put numbers in quotes)."),
        ({"run": ""}, "run: must not be empty."),
        ({"run": " "}, "run: must not be empty."),
        ({"run": " \n", "shell": True}, "run: must not be empty."),
        ({"run": ["", "x"]}, "run: must not be empty."),
        ({"run": "' ' x"}, "run: must not be empty."),
        ({"label": " "}, "label: must not be empty."),
        ({"run": []}, "run: must not be empty."),
        ({"run": "echo 'hi"}, "run: no closing quotation."),
        ({"run": "echo \0"}, "run: must not contain a NUL character."),
        ({"run": "echo \ud800"}, "run: must not contain half of a surrogate pair."),
        ({"env": {"A": "\ud800"}}, "env.A: must not contain half of a surrogate pair."),
        ({"run": " \n", "shell": True}, "run: must not be empty."),
        ({"run": ["ls"], "shell": True}, "shell: true needs run to be one line of text, not a list."),
        ({"name": 2026}, "name: must be text (put it in quotes)."),
        ({"name": None}, "name: must be text (put it in quotes)."),
        ({"label": None}, 'needs either "agent" (a name) or "label".'),
        ({"agent": "box"}, 'needs either "agent" (a name) or "label".'),
        ({"env": {"A B": "x"}}, "env.A B: has characters that are not allowed."),
        ({"env": {"A": True}}, "env.A: must be text (put it in quotes)."),
        ({"env": []}, "env: must be a mapping."),
        ({"allow_failure": "perhaps"}, "allow_failure: must be true or false."),
    ],
)
def test_it_names_the_place_that_is_wrong(fields, message):
    with pytest.raises(Invalid) as refused:
        parse(step(**fields))

    place = HERE if fields.keys() != {"name"} else 'stage 1 "Test", step 1: '
    assert refused.value.message == place + message


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (None, "A project is a mapping with name and stages."),
        ([1], "A project is a mapping with name and stages."),
        ({}, "name: is missing; stages: is missing."),
        ({"name": "x", "stages": []}, "stages: must not be empty."),
        ({"name": "x", "stages": 3}, "stages: must be a list."),
        ({"name": "x", "stages": [None]}, "stage 1: must be a mapping."),
        ({"name": "x", "stages": [{"name": "a", "steps": []}]}, 'stage 1 "a": steps: must not be empty.'),
        (step() | {"name": "信号"}, 'needs a "slug" (letters a-z, digits and dashes).'),
        (step() | {"slug": "A b"}, "slug: has characters that are not allowed."),
    ],
)
def test_it_says_what_is_missing(data, message):
    with pytest.raises(Invalid) as refused:
        parse(data)

    assert refused.value.message == message


def test_two_steps_of_a_stage_must_have_different_names():
    project = step()
    project["stages"][0]["steps"] *= 2

    with pytest.raises(Invalid, match='stage 1 "Test": steps: two are called "unit"'):
        parse(project)


def test_it_counts_the_errors_it_does_not_show():
    project = step()
    project["stages"][0]["steps"] = [{"name": f"s{n}", "run": 5, "label": "l"} for n in range(9)]

    with pytest.raises(Invalid, match=r"step 5 .* \(and 4 more\)\.$"):
        parse(project)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [", "line 1, column 8"),
        ("name: a\nname: b", 'line 2, column 1: "name" is there twice'),
        ("a: &x 1\nb: *x", r"line 2, column 4: aliases \(\*name\) are not allowed"),
        ("[" * 5000, "nested too deeply"),
        ("name: x\n\tb: 1", r"line 2, column 1"),
        ("name: x\0", "special characters are not allowed"),
        ("!!python/object:os.system x", "line 1, column 1"),
        ("? [a]\n: b", "unhashable key"),
        ("x" * (MAX_CHARACTERS + 1), "at most 65536 characters"),
        ("name: !!timestamp foo", "cannot be read as what it is marked as"),
        ("name: !!bool foo", "cannot be read as what it is marked as"),
        ("name: !!int ''", "cannot be read as what it is marked as"),
        ("name: !!float ''", "cannot be read as what it is marked as"),
        ("timeout: " + "9" * 5000, "cannot be read as what it is marked as"),
        ("name: 2026-11-20", r"name: must be text|stages: is missing"),
    ],
)
def test_text_that_is_no_project_gets_a_sentence(text, message):
    with pytest.raises(Invalid, match=message):
        parse_yaml(text)


PIECES = [
    *("name", "stages", "steps", "run", "label", "timeout", "env", "1", "0x", "1e400", ".nan", "2026-11-20", "\\uD800"),
    *(": ", ", ", "- ", "? ", "  ", "---", "&a ", "*a", "<<", "!<x> ", *"[]{}'\"#~|%!\n\t\0\ufeff"),
    *(
        "!!int ",
        "!!bool ",
        "!!float ",
        "!!null ",
        "!!str ",
        "!!binary ",
        "!!timestamp ",
        "!!map ",
        "!!set ",
        "!!pairs ",
    ),
]


@settings(max_examples=500)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map("".join))
def test_any_text_is_a_project_or_invalid(text):
    with suppress(Invalid):
        parse_yaml(text)
