"""Teachers of few trees: what the tests of training ask doesn't depend on how good a teacher is."""

import pytest
from dibble_tools.training import teachers


@pytest.fixture(autouse=True, scope="module")
def small_forests():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(teachers, "TREES", 20)
        yield
