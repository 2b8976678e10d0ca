"""The runtime as shipped on emulated CPUs, held against this machine: `make lesser-cpus`."""
