"""What a prediction takes, counted on every VM, next to other people's tools and to C."""
