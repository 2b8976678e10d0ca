"""Exporting from Python; needs the extra `export`."""

from sentiment_edge.extras import needs_extra as _needs_extra

with _needs_extra("export"):
    from sentiment_edge_export.errors import CheckpointError, ExportError, HubError, OutputError, OutputExists, UnknownModel
    from sentiment_edge_export.gate import ParityError
    from sentiment_edge_export.options import BurnOptions, GateOptions, GraphOptions, Int8Options, SourceOptions
    from sentiment_edge_export.pipeline import ExportReport, export_model

__all__ = [
    "BurnOptions",
    "CheckpointError",
    "ExportError",
    "ExportReport",
    "GateOptions",
    "GraphOptions",
    "HubError",
    "Int8Options",
    "OutputError",
    "OutputExists",
    "ParityError",
    "SourceOptions",
    "UnknownModel",
    "export_model",
]
