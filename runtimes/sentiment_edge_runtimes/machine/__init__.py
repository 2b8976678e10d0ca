"""What this machine has, and what it remembers between runs."""
