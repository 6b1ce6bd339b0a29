from livestyle.working_size import SCALES, WorkingSize, adapt

INTERVAL = 1 / 30


def held(state: WorkingSize, milliseconds: float, seconds: float, start: float = 0.0) -> WorkingSize:
    """After so many seconds of frames that take so long at full size, and less at smaller ones."""
    for i in range(round(seconds / INTERVAL)):
        state = adapt(state, milliseconds / 1000 * state.scale**2, INTERVAL, start + i * INTERVAL)
    return state


def test_what_is_fast_enough_keeps_its_size() -> None:
    assert held(WorkingSize(), 0.75 * 33, seconds=20).scale == 1


def test_one_slow_frame_changes_nothing() -> None:
    state = held(WorkingSize(), 10, seconds=1)
    state = adapt(state, 0.5, INTERVAL, 1.0)
    assert held(state, 10, seconds=3, start=1 + INTERVAL).scale == 1


def test_the_first_frame_of_a_size_which_compiles_it_does_not_count() -> None:
    state = adapt(WorkingSize(), 5.0, INTERVAL, 0.0)
    assert held(state, 20, seconds=3, start=INTERVAL).scale == 1
    assert state.seconds is None


def test_too_slow_for_a_second_is_lowered_by_a_step() -> None:
    assert held(WorkingSize(), 30, seconds=0.9).scale == 1
    assert held(WorkingSize(), 30, seconds=1.2).scale == SCALES[1]


def test_it_is_lowered_until_it_fits_and_no_further() -> None:
    state = held(WorkingSize(), 60, seconds=20)
    assert 60 * state.scale**2 < 0.8 * 33.3
    assert 60 * SCALES[state.step - 1] ** 2 > 0.65 * 33.3


def test_it_never_goes_below_the_smallest() -> None:
    assert held(WorkingSize(), 10_000, seconds=30).scale == SCALES[-1]


def test_it_is_raised_again_when_there_is_time() -> None:
    low = held(WorkingSize(), 60, seconds=20)
    assert held(low, 10, seconds=60, start=20).scale == 1


def test_it_does_not_swing_between_two_sizes() -> None:
    """A raise that must be taken back makes the next one wait twice as long."""
    state, changes = WorkingSize(), 0
    for i in range(round(120 / INTERVAL)):
        # the smaller size takes far less time than its pixels say, so that it always looks roomy
        took = 0.030 if state.step == 0 else 0.010
        before, state = state.step, adapt(state, took, INTERVAL, i * INTERVAL)
        changes += state.step != before
    assert 2 <= changes <= 14
