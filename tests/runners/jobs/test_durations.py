from runners.jobs.durations import Durations


def test_what_an_example_takes_is_the_median_of_its_latest_runs() -> None:
    durations = Durations([("a", 9.0), ("a", 1.0), ("a", 2.0), ("b", 30.0)])
    assert durations.typical_s("a") == 2
    for _ in range(20):
        durations.note("a", 5.0)
    assert durations.typical_s("a") == 5


def test_one_never_measured_is_taken_for_the_median_of_all() -> None:
    assert Durations([("a", 1.0), ("b", 3.0)]).typical_s("c") == 2
    assert Durations().typical_s("c") is None
