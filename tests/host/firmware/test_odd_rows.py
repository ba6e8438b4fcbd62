"""Rows with gaps, missing readings and such out of range in the machine code that takes them: see odd_rows.py."""

import odd_rows
import pytest


@pytest.mark.parametrize("kind", ["thumb", "viper"])
def test_machine_code_puts_odd_rows_right_as_bytecode_does(kind: str) -> None:
    """Flags, first such channel, features and every word of the past, of random models and rows."""
    pasts = [odd_rows.PastCase(seed, 60) for seed in range(16)]
    found = [told for past in pasts for told in past.expected()[::2]]
    assert len({flags & 255 for flags in found}) == 6  # well, out of range, missing, both; the latter two vital or not
    assert odd_rows.kernel_differences(kind, pasts) == 0
