import math

import pytest

from runners.protocol.numbers import shown_number


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.961111, "0.9611"),
        (1.0, "1"),
        (0.0000123, "1.23e-05"),
        (1234567.8, "1,234,568"),
        (2.5e12, "2.500e+12"),
        (math.nan, "nan"),
        (-math.inf, "-inf"),
        (-0.5, "-0.5"),
    ],
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert shown_number(value) == shown
