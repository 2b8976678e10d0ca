"""The light tests on every Python that can be had, on the oldest dependencies, on 64-bit Arm: `make pythons`."""
