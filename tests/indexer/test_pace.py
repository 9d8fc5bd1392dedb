from indexer.pace import Pace


def paced(busy: list[int], most: int = 16, cores: int = 16) -> list[int]:
    used: list[int] = []
    pace = Pace(most, cores, used.append)
    for one in busy:
        pace.encoded(one)
    return used


def test_cores_that_read_are_not_there_for_the_network() -> None:
    assert paced([15] * 8)[-1] == 1
    assert paced([5] * 8)[-1] == 11
    assert paced([2] * 8, cores=2)[-1] == 1


def test_a_network_that_all_wait_for_has_all_of_them() -> None:
    assert paced([0] * 3) == [16] * 3
    assert paced([15] * 8 + [0] * 8)[-1] == 16
    assert paced([0], most=4) == [4]


def test_afterwards_it_has_what_it_had() -> None:
    used: list[int] = []
    pace = Pace(4, 4, used.append)
    pace.encoded(4)

    pace.rest()

    assert used[-1] == 4
