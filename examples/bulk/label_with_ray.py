"""Label a column of texts in Parquet files on a Ray cluster.

ray job submit --working-dir . -- python label_with_ray.py INPUT OUTPUT [--column text] [--bundle FOLDER]

The files are labelled in groups, each into a folder of OUTPUT; a finished one is marked with the file `_finished`. Run the same
command again after a failure: the groups that are finished stay as they are, and one that is half done is removed.
"""

import argparse
import hashlib
import sys

import ray
from pyarrow import fs

from sentiment_edge import load
from sentiment_edge.bulk.ray import label

_MARK = "_finished"  # readers of folders pass over such names


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Label a column of texts in Parquet files on a Ray cluster.")
    parser.add_argument("input", help="a folder of Parquet files that stay the same until all are labelled")
    parser.add_argument("output", help="a folder that all nodes see; one folder of Parquet files in it for each group")
    parser.add_argument("--column", default="text", help="the column that holds the texts")
    parser.add_argument("--bundle", help="the bundle's folder here; by default the model that comes with the package")
    parser.add_argument("--engine", default="auto", help="the engine that all workers use")
    parser.add_argument("--files", type=int, default=100, help="files in a group: what a failure may cost")
    parser.add_argument("--workers", type=int, help="by default as many as leave one CPU of the cluster for reading")
    return parser.parse_args()


def main() -> str | None:
    """Label the groups that are not finished; return what is wrong with the folders."""
    given = _arguments()
    source, place = fs.FileSystem.from_uri(given.input)
    target, output = fs.FileSystem.from_uri(given.output)
    target.create_dir(output)
    files = sorted(_children(source, place, ".parquet"))
    if not files:
        return f"{given.input} holds no file that ends in .parquet"
    what = [load(given.bundle).bundle.fingerprint, given.engine, given.column, str(given.files), *files]
    run = hashlib.sha256("\n".join(what).encode()).hexdigest()[:12]
    if others := [path for path in _children(target, output) if f"/{run}-" not in path]:
        return f"{others[0]} is of another input or with other options: give another output folder"
    for number, start in enumerate(range(0, len(files), given.files)):
        folder = f"{output}/{run}-{number:05}"
        if _children(target, folder, f"/{_MARK}"):
            continue
        target.create_dir(folder)
        target.delete_dir_contents(folder)
        dataset = ray.data.read_parquet(files[start : start + given.files], filesystem=source)
        answers = label(dataset, given.bundle, given.column, engine=given.engine, concurrency=given.workers)
        answers.write_parquet(folder, filesystem=target)
        target.open_output_stream(f"{folder}/{_MARK}").close()
        print(f"{folder} is finished", flush=True)
    return None


def _children(system: fs.FileSystem, folder: str, ending: str = "") -> list[str]:
    found = system.get_file_info(fs.FileSelector(folder, allow_not_found=True))
    return [info.path for info in found if info.path.endswith(ending)]


if __name__ == "__main__":
    sys.exit(main())
