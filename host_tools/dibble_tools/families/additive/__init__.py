"""Tables of scores in integers."""
