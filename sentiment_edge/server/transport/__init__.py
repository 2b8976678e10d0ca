"""Connections below the application: what they may send, how long they may take, how many there may be."""
