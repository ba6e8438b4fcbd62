"""Small dense networks in integers."""
