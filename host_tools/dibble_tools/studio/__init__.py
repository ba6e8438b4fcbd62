"""`dibble studio`: the whole journey as a page in a browser of this computer.

`server` (HTTP) -> `actions` -> `board`, `jobs`, `project` -> `state`, which all open tabs are shown.
"""
