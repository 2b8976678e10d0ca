"""The records that Burn (https://burn.dev), a deep learning framework in Rust, writes: path in, names and numpy arrays out."""

from sentiment_edge_export.checkpoints.burn_records.record import BurnRecord, is_safetensors, read_record

__all__ = ["BurnRecord", "is_safetensors", "read_record"]
