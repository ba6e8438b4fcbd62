"""The command `dibble`: arguments only; the work is done elsewhere."""
