"""Parity between a bundle and the original definition in torch: its measurement, report and bounds."""
