"""What a node says while it works, collected and watched: nothing of it is believed blindly."""
