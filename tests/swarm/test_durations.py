import pytest

from apps.swarm.durations import seconds_of


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (90, 90),
        (0.5, 0.5),
        ("90", 90),
        ("90s", 90),
        ("5m", 300),
        ("1h30m", 5400),
        ("1h 5s", 3605),
        ("1.5m", 90),
        ("2H", 7200),
    ],
)
def test_it_reads_what_people_write(written, seconds):
    assert seconds_of(written) == seconds


@pytest.mark.parametrize(
    "written", ["", " ", "soon", "5 minutes", "-5", "5m5h", "1e3", True, None, [5], "５m", 10**400]
)
def test_it_refuses_the_rest(written):
    with pytest.raises(ValueError, match="write seconds"):
        seconds_of(written)
