"""Recordings of sound: files, folders of clips, and what a node makes of them."""
