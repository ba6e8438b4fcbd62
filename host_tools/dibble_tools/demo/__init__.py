"""`dibble demo`, and how the orchard's models are made."""
