from pathlib import Path

import pytest
from signalbox_agent.policy import NotAllowed, Policy
from signalbox_agent.spec import Spec


@pytest.mark.parametrize(
    ("rule", "argv"),
    [
        ("git *", ("git",)),
        ("git *", ("git", "log", "--stat")),
        ("git status", ("git", "status")),
        ("python -m pytest *", ("python", "-m", "pytest", "-x", "tests")),
        ("ruff check*", ("ruff", "checks")),
        ("make t?st", ("make", "test")),
        ("cat logs/*", ("cat", "logs/a/b..c/..log")),
        ("cat ../logs/*", ("cat", "../logs/a")),
        ("git diff origin/*", ("git", "diff", "origin/main..origin/next")),
        ("cat logs*", ("cat", "logs/a")),
        ("git log v*", ("git", "log", "v1..v2")),
        ("git diff * --stat", ("git", "diff", "../x", "--stat")),
        ("python3* -V", ("python3.11", "-V")),
        ("/usr/bin/py* -V", ("/usr/bin/python3/x", "-V")),
        ("*", ("anything", "at", "all")),
    ],
)
def test_a_rule_allows(rule, argv):
    assert Policy([rule]).argv_of(Spec(argv=argv)) == argv


@pytest.mark.parametrize(
    ("rules", "argv"),
    [
        ([], ("true",)),
        (["git *"], ("gitk",)),
        (["git *"], ("/tmp/git", "log")),
        (["git"], ("git", "push")),
        (["git status"], ("git", "status", "-s")),
        (["python -m pytest *"], ("python", "-m", "pip", "install")),
        (["Git *"], ("git",)),
        (["./scripts/*"], ("./scripts/../../../bin/reboot",)),
        (["./scripts/??/x"], ("./scripts/../x",)),
        (["cat /var/log/*"], ("cat", "/var/log/../../etc/shadow")),
        (["cat logs/*"], ("cat", "logs/..")),
        (["cat ../logs/*"], ("cat", "../logs/../x")),
        (["tar --file=logs/* *"], ("tar", "--file=logs/../x")),
        (["cp */a"], ("cp", "x:../a")),
        (["cat logs*"], ("cat", "logs/../../../etc/passwd")),
        (["cat *.txt"], ("cat", "../notes.txt")),
        (["tar --file=* *"], ("tar", "--file=../x")),
        (["python3* *"], ("python3stuff/evil.sh",)),
        (["python3*"], ("python3stuff/evil.sh",)),
        (["* --version"], ("./evil", "--version")),
    ],
)
def test_everything_else_is_refused_with_a_sentence(rules, argv):
    with pytest.raises(NotAllowed, match="is not on this agent's allow-list"):
        Policy(rules).argv_of(Spec(argv=argv))


def test_a_programs_path_is_the_same_wherever_the_command_works(tmp_path: Path):
    (tmp_path / "vendor").mkdir()
    policy = Policy(["./build.sh *", "/usr/bin/env"], base=tmp_path)
    for spec in (Spec(argv=("./build.sh", "./x"), cwd="vendor"), Spec(shell="./build.sh ./x", cwd="vendor")):
        assert policy.argv_of(spec) == (str(tmp_path / "build.sh"), "./x")
    assert policy.argv_of(Spec(argv=("/usr/bin/env",))) == ("/usr/bin/env",)
    with pytest.raises(NotAllowed):
        policy.argv_of(Spec(argv=("vendor/build.sh",)))


def test_where_everything_is_allowed_a_programs_path_begins_where_the_command_works(tmp_path: Path):
    spec = Spec(argv=("./build.sh",), cwd="vendor")
    assert Policy(everything=True, base=tmp_path).argv_of(spec) == ("./build.sh",)


def test_a_shell_line_needs_a_shell_that_is_allowed():
    spec = Spec(shell="git log | head")
    with pytest.raises(NotAllowed, match="--allow-shell"):
        Policy(["git *", "head *"]).argv_of(spec)
    for policy in (Policy(shell=True), Policy(["sh *"]), Policy(["*"]), Policy(everything=True)):
        assert policy.argv_of(spec) == ("/bin/sh", "-c", "git log | head")


def test_a_line_that_needs_no_shell_is_an_ordinary_command():
    assert Policy(["git *"]).argv_of(Spec(shell="git log --format='%h %s' -5")) == (
        *("git", "log", "--format=%h %s"),
        "-5",
    )


@pytest.mark.parametrize(
    "line",
    [
        "git log; rm x",
        "git log && rm x",
        "git log $(rm x)",
        "git log > x",
        "A=1 git log",
        "git log\nrm x",
        "git `rm`",
        "git 'log",
    ],
)
def test_no_shell_trick_gets_around_the_list(line):
    with pytest.raises(NotAllowed):
        Policy(["git *"]).argv_of(Spec(shell=line))


def test_variables_need_leave_since_they_can_change_what_runs():
    spec = Spec(argv=("git", "log"), env={"GIT_SSH_COMMAND": "rm -rf x"})
    with pytest.raises(NotAllowed, match="GIT_SSH_COMMAND"):
        Policy(["git *"]).argv_of(spec)
    assert Policy(["git *"], env=["GIT_*"]).argv_of(spec)
    assert Policy(everything=True).argv_of(spec)


def test_a_command_stays_below_the_agents_directory(tmp_path: Path):
    (tmp_path / "work" / "inner").mkdir(parents=True)
    (tmp_path / "work" / "out").symlink_to(tmp_path)
    policy = Policy(["git *"], base=tmp_path / "work")
    assert policy.directory_of(Spec(argv=("git",), cwd="inner")) == tmp_path / "work" / "inner"
    assert policy.directory_of(Spec(argv=("git",))) == tmp_path / "work"
    for cwd in ("..", str(tmp_path), "out"):
        with pytest.raises(NotAllowed, match="only"):
            policy.directory_of(Spec(argv=("git",), cwd=cwd))
    with pytest.raises(NotAllowed, match="no directory"):
        policy.directory_of(Spec(argv=("git",), cwd="gone"))
    assert Policy(everything=True, base=tmp_path / "work").directory_of(Spec(argv=("git",), cwd="..")) == tmp_path


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (None, "no spec"),
        ({}, "either argv or a shell"),
        ({"argv": ["a"], "shell": "b"}, "either argv or a shell"),
        ({"argv": "git"}, "list of strings"),
        ({"argv": ["git", 1]}, "list of strings"),
        ({"argv": ["a\0b"]}, "NUL"),
        ({"shell": "true", "timeout": -1}, "timeout"),
        ({"shell": "true", "env": []}, None),
        ({"shell": "true", "env": ["A"]}, "env"),
    ],
)
def test_an_odd_spec_is_refused_with_a_sentence(data, sentence):
    if sentence is None:
        assert Spec.of(data).shell == "true"
    else:
        with pytest.raises(ValueError, match=sentence):
            Spec.of(data)
