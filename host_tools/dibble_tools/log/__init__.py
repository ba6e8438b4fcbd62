"""A node's record log, brought home and joined with what was seen."""
