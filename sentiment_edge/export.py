"""Exporting from Python; needs the extra `export`."""

from sentiment_edge.extras import needs_extra as _needs_extra

with _needs_extra("export"):
    from sentiment_edge_export.errors import (
        CheckpointError,
        ExportError,
        HubError,
        OutputError,
        OutputExists,
        ParityError,
        UnknownModel,
    )
    from sentiment_edge_export.exporting import ExportReport, export_model
    from sentiment_edge_export.options import BurnOptions, GateOptions

__all__ = [
    "BurnOptions",
    "CheckpointError",
    "ExportError",
    "ExportReport",
    "GateOptions",
    "HubError",
    "OutputError",
    "OutputExists",
    "ParityError",
    "UnknownModel",
    "export_model",
]
