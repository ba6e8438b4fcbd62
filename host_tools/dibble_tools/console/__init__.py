"""A node at its console and its log brought home: nothing of it is believed blindly."""
