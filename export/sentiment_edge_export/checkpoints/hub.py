"""Downloading checkpoints from the Hugging Face Hub."""

from __future__ import annotations

import sys
from pathlib import Path

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import (
    GatedRepoError,
    HFValidationError,
    LocalEntryNotFoundError,
    OfflineModeIsEnabled,
    RepositoryNotFoundError,
)
from huggingface_hub.errors import HTTPError as HubHttpError  # type: ignore[attr-defined]  # httpx's, whichever is in use
from huggingface_hub.utils.tqdm import disable_progress_bars

from sentiment_edge_export.checkpoints.foreign_files import check_folder
from sentiment_edge_export.errors import HubError
from sentiment_edge_runtimes.errors import first_line

_SMALL_FILES = ["*.json", "*.txt", "*.model", "*.codes", "README.md"]
_SAFE_WEIGHTS = ["*.safetensors"]
_PICKLED_WEIGHTS = ["*.bin", "*.pth"]
_RECORDS = ["*.mpk", "*.mpk.gz", "*.bpk", "*.json.gz", "model"]

_IN_FOLDERS = ["*/*"]
"""Files of a training's earlier steps and of other formats, which no export reads."""
_PATIENCE = 10
"""Seconds to wait for the list of a model's files."""


def download(hub_id: str, *, offline: bool) -> Path:
    """Return the folder with the checkpoint's files: from the cache, or downloaded unless `offline`.

    Weights are downloaded as safetensors or Burn records; pickled ones only if there are no others.

    Raises:
        HubError: the Hub has no such model, denies access or cannot be reached.
        CheckpointError: what it has is not a checkpoint of a classifier.
    """
    folder = _fetch(hub_id, _SMALL_FILES + _SAFE_WEIGHTS + _RECORDS, offline=offline)
    if not any(found for pattern in _SAFE_WEIGHTS + _RECORDS for found in folder.glob(pattern)):
        folder = _fetch(hub_id, _SMALL_FILES + _PICKLED_WEIGHTS, offline=offline)
    check_folder(folder, hub_id, lambda: [] if offline else _listed(hub_id, folder.name))
    return folder


def _listed(hub_id: str, revision: str) -> list[str]:
    """Return the names of all files, so that those which are not downloaded tell what the model is; none if that fails."""
    try:
        info = HfApi().model_info(hub_id, revision=revision, timeout=_PATIENCE)
    except (OSError, HubHttpError):
        return []
    return [file.rfilename for file in info.siblings or ()]


def _fetch(hub_id: str, patterns: list[str], *, offline: bool) -> Path:
    if sys.stderr is None or not sys.stderr.isatty():
        disable_progress_bars()
    try:
        found = snapshot_download(hub_id, allow_patterns=patterns, ignore_patterns=_IN_FOLDERS, local_files_only=offline)
        return Path(found)
    except GatedRepoError as error:
        raise HubError(f"{hub_id}: its owner must grant access; ask on its page, then `hf auth login`") from error
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise HubError(f"{hub_id}: no such folder, and no such model on the Hub (or it is private)") from error
    except (LocalEntryNotFoundError, OfflineModeIsEnabled) as error:
        advice = "not in the local cache; run once without `offline`" if offline else "the Hub cannot be reached"
        raise HubError(f"{hub_id}: {advice}, or give a folder with its files by `checkpoint`") from error
    except (OSError, HubHttpError) as error:
        reason = first_line(error)
        raise HubError(f"{hub_id}: the download failed ({reason}); try again, or give a folder by `checkpoint`") from error
