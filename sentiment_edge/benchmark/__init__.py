"""How fast bundles are on this machine: latency, throughput, cold start, memory, and torch beside them."""
