from hypothesis import given
from hypothesis import strategies as st

from runners.jobs.turns import Claim, Room, Served, expected_waits, in_turn, next_to_start
from runners.protocol.words import JobId


def claim(name: str, guild: str | None = "g", learner: str | None = "a", cards: int = 0) -> Claim:
    return Claim(JobId(name), guild, learner, cards)


def names(claims: list[Claim]) -> str:
    return " ".join(each.job for each in claims)


def test_one_who_submits_many_waits_for_everybody_elses_first() -> None:
    mine = [claim(f"m{number}", learner="me") for number in range(4)]
    claims = [*mine, claim("other", learner="you"), claim("far", guild="h", learner="she")]
    assert names(in_turn(claims, Served())) == "m0 far other m1 m2 m3"


def test_guilds_take_turns_however_many_learners_they_have() -> None:
    claims = [claim(f"g{number}", learner=str(number)) for number in range(4)]
    claims += [claim(f"h{number}", guild="h", learner="z") for number in range(2)]
    assert names(in_turn(claims, Served())) == "g0 h0 g1 h1 g2 g3"


def test_learners_by_direct_message_are_a_group_each() -> None:
    claims = [
        claim("a0", None, "a"),
        claim("a1", None, "a"),
        claim("b0", None, "b"),
        claim("g0", "g", "c"),
    ]
    assert names(in_turn(claims, Served())) == "a0 b0 g0 a1"


def test_who_had_a_turn_lately_comes_after_those_who_had_none() -> None:
    served = Served()
    served.note(claim("before", guild="g", learner="a"))
    claims = [claim("a1"), claim("b0", learner="b"), claim("h0", guild="h")]
    assert names(in_turn(claims, served)) == "h0 b0 a1"


CLAIMS = st.lists(
    st.tuples(st.sampled_from(["g", "h", None]), st.sampled_from(["a", "b", "c", None]))
)


@given(CLAIMS, CLAIMS)
def test_the_order_is_a_fair_permutation(
    owners: list[tuple[str | None, str | None]], before: list[tuple[str | None, str | None]]
) -> None:
    served = Served()
    for guild, learner in before:
        served.note(Claim(JobId("old"), guild, learner))
    claims = [Claim(JobId(str(at)), *owner) for at, owner in enumerate(owners)]
    ordered = in_turn(claims, served)
    assert sorted(ordered, key=lambda each: int(each.job)) == claims
    for owner in set(owners):
        own = [each for each in ordered if (each.guild, each.learner) == owner]
        assert own == [each for each in claims if (each.guild, each.learner) == owner]
    # while a group waits, no other has two turns more than it
    groups = {each.group for each in claims}
    for group in groups:
        until = max(at for at, each in enumerate(ordered) if each.group == group)
        had = [each.group for each in ordered[: until + 1]]
        assert all(had.count(other) <= had.count(group) + 1 for other in groups)
    # the order is what serving them one after another gives
    served_again, rest, one_by_one = served, list(claims), []
    while rest:
        first = in_turn(rest, served_again)[0]
        served_again.note(first)
        rest.remove(first)
        one_by_one.append(first)
    assert one_by_one == ordered


def test_a_learner_who_has_one_running_lets_others_pass() -> None:
    waiting = [claim("a1"), claim("b0", learner="b")]
    room = Room(slots=2, cards=0, each=1)
    assert next_to_start(waiting, [claim("a0")], room) == waiting[1]
    assert next_to_start(waiting, [claim("a0")], Room(2, 0, each=2)) == waiting[0]
    nobody = [Claim(JobId("n1"))]
    assert next_to_start(nobody, [Claim(JobId("n0"))], room) == nobody[0]


def test_cards_and_slots_are_taken_apart() -> None:
    room = Room(slots=1, cards=1, each=9)
    on_card, plain = claim("card", cards=1), claim("plain")
    assert next_to_start([on_card, plain], [claim("x", cards=1)], room) == plain
    assert next_to_start([plain, on_card], [claim("x")], room) == on_card
    assert next_to_start([plain, on_card], [claim("x"), claim("y", cards=1)], room) is None


def test_a_job_that_wants_two_cards_is_not_overtaken_for_ever() -> None:
    room = Room(slots=1, cards=2, each=9)
    two, one = claim("two", cards=2), claim("one", cards=1)
    assert next_to_start([two, one], [claim("x", cards=1)], room) is None
    assert next_to_start([two, one], [], room) == two


def test_waits_follow_from_how_long_jobs_take() -> None:
    ordered = [claim("b", learner="b"), claim("c", learner="c"), claim("d", learner="d")]
    seconds: dict[JobId, float | None] = {
        JobId("a"): 5,
        JobId("b"): 10,
        JobId("c"): 20,
        JobId("d"): 1,
    }
    assert expected_waits(ordered, [claim("a")], seconds, Room(1, 0, 1)) == [5, 15, 35]
    assert expected_waits(ordered, [claim("a")], seconds, Room(2, 0, 1)) == [0, 5, 10]


def test_a_learners_own_jobs_wait_for_one_another() -> None:
    seconds: dict[JobId, float | None] = {JobId("a0"): 5, JobId("a1"): 7, JobId("a2"): 1}
    waits = expected_waits(
        [claim("a1"), claim("a2")], [claim("a0")], seconds, Room(slots=4, cards=0, each=1)
    )
    assert waits == [5, 12]


def test_nobody_can_tell_a_wait_for_what_was_never_measured() -> None:
    ordered = [claim("b", learner="b"), claim("c", learner="c", cards=1)]
    seconds: dict[JobId, float | None] = {JobId("a"): None, JobId("b"): 1, JobId("c"): 1}
    assert expected_waits(ordered, [claim("a")], seconds, Room(1, 1, 1)) == [None, 0]
