"""The runtime's parts, for who builds on them: bundles, verification, and what this machine offers."""

from sentiment_edge_runtimes.bundle import Bundle
from sentiment_edge_runtimes.engine import ENGINES, Engine, Outputs, open_engine
from sentiment_edge_runtimes.threads import usable_cpus
from sentiment_edge_runtimes.verification import Verification, verify

__all__ = ["ENGINES", "Bundle", "Engine", "Outputs", "Verification", "open_engine", "usable_cpus", "verify"]
