"""Reading the records of Burn (https://burn.dev), a deep learning framework in Rust, to numpy arrays by name."""

from sentiment_edge_export.checkpoints.burn_records.record import BurnRecord, is_safetensors, read_record

__all__ = ["BurnRecord", "is_safetensors", "read_record"]
