"""Benchmark of bundles on this machine: latency, throughput, cold start and memory, with torch for comparison."""
