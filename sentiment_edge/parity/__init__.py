"""What the gate of an export found, as a page."""
