"""Exporting from Python; needs the extra `export`."""

from sentiment_edge.extras import needs_extra

with needs_extra("export"):
    from sentiment_edge_export.exporting import ExportReport, export_model

__all__ = ["ExportReport", "export_model"]
