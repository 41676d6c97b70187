from payments.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def broken(clock: Clock) -> Breaker:
    breaker = Breaker(failures_max=3, pause_seconds=10, clock=clock)
    for _ in range(3):
        assert breaker.may_try()
        breaker.failed()
    return breaker


def test_it_opens_after_failures_in_a_row_and_not_before() -> None:
    breaker = Breaker(failures_max=3, pause_seconds=10, clock=Clock())
    for _ in range(10):
        breaker.failed()
        breaker.failed()
        breaker.succeeded()
    assert breaker.may_try()
    assert not breaker.is_open
    assert broken(Clock()).is_open


def test_while_it_is_open_nobody_tries_and_then_one_does() -> None:
    clock = Clock()
    breaker = broken(clock)
    assert [breaker.may_try() for _ in range(3)] == [False, False, False]
    clock.now += 10
    assert [breaker.may_try() for _ in range(3)] == [True, False, False]
    breaker.succeeded()
    assert [breaker.may_try() for _ in range(3)] == [True, True, True]


def test_a_probe_that_fails_keeps_it_open() -> None:
    clock = Clock()
    breaker = broken(clock)
    clock.now += 10
    assert breaker.may_try()
    breaker.failed()
    clock.now += 9
    assert not breaker.may_try()
    clock.now += 1
    assert breaker.may_try()


def test_a_probe_that_never_comes_back_is_not_waited_for_forever() -> None:
    clock = Clock()
    breaker = broken(clock)
    clock.now += 10
    assert breaker.may_try()
    clock.now += 10
    assert breaker.may_try()
