"""From a traced module to a graph: tracing, fusion, editing, running, saving."""
