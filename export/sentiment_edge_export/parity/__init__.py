"""Parity: how close a bundle comes to the original definition in torch, and the gate on it."""
