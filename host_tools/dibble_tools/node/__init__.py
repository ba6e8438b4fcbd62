"""What host and node agree on: files, configuration, console lines, records."""
