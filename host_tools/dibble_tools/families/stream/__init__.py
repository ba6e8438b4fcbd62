"""Family `stream`: a network over rows of codes as they come, whose layers remember the rows before: fit -> tables."""
