"""Size of what an installation puts on the disk, byte code included, pip left out; and what fills it.

python benchmarks/install_size.py dist/*.whl
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

CONSTRAINTS = Path(__file__).parents[1] / "constraints.txt"
LARGEST = 8


def main() -> None:
    """Install into fresh environments, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("wheel", help="the built wheel")
    wheel = parser.parse_args().wheel
    with tempfile.TemporaryDirectory() as scratch:
        _report("the wheel and its dependencies", Path(scratch) / "base", [[wheel]])
        _report(
            "numpy, onnxruntime, tokenizers and the wheel alone",
            Path(scratch) / "three",
            [["numpy", "onnxruntime", "tokenizers"], ["--no-deps", wheel]],
        )
        _report(
            "the same without any dependency of theirs",
            Path(scratch) / "bare",
            [["--no-deps", "numpy", "onnxruntime", "tokenizers", wheel]],
        )


def _report(title: str, environment: Path, installations: list[list[str]]) -> None:
    subprocess.run([sys.executable, "-m", "venv", environment], check=True)
    python = environment / "bin" / "python"
    for arguments in installations:
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--compile", "-c", CONSTRAINTS, *arguments], check=True)
    (packages,) = environment.glob("lib/python*/site-packages")
    sizes = {
        path.name: sum(file.lstat().st_size for file in [path, *path.rglob("*")] if file.is_file())
        for path in packages.iterdir()
        if not path.name.startswith(("pip", "setuptools", "pkg_resources", "_distutils_hack", "distutils-precedence"))
    }
    print(f"{title}: {sum(sizes.values()) / 1e6:.1f} MB")
    for name in sorted(sizes, key=lambda name: sizes[name], reverse=True)[:LARGEST]:
        print(f"  {name:<32} {sizes[name] / 1e6:>7.1f} MB")


if __name__ == "__main__":
    main()
