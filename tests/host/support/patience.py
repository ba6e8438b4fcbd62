"""How long a test waits for an event: on an idle machine it comes within seconds; only a hang takes so long."""

PATIENCE_S = 120.0
