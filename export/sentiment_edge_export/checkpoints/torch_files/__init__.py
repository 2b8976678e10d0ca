"""Files that `torch.save` writes: what their pickle describes is found out without running it, before torch reads them."""

from sentiment_edge_export.checkpoints.torch_files.contents import StoredTensor
from sentiment_edge_export.checkpoints.torch_files.reading import list_torch_file, read_torch_file

__all__ = ["StoredTensor", "list_torch_file", "read_torch_file"]
