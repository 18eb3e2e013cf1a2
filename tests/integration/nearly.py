"""What JSON says but for the last digits of its fractions: Boost.JSON reads them nearly exactly."""

import pytest


def nearly(value):
    """Equal to whatever differs from it by less than 10 microseconds in times."""
    if isinstance(value, dict):
        return {key: nearly(one) for key, one in value.items()}
    if isinstance(value, list):
        return [nearly(one) for one in value]
    return pytest.approx(value, rel=0, abs=1e-5) if isinstance(value, float) else value
