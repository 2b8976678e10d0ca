#!/bin/sh
# Check a built wheel where nothing else is installed: with its dependencies the command works and imports no torch, transformers or
# huggingface_hub; with numpy, onnxruntime and tokenizers alone the library works.   usage: check_wheel.sh WHEEL
set -eu
wheel=$1
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

install() { # ENVIRONMENT ARGUMENT...
    environment=$1
    shift
    python3 -m venv "$environment"
    "$environment/bin/python" -m pip install --quiet --constraint "$here/../constraints.txt" "$@"
}

install "$scratch/base" "$wheel"
printf 'I loved it.\nDreadful.\n' | "$scratch/base/bin/sentiment-edge" predict > "$scratch/predictions"
printf 'positive\nnegative\n' > "$scratch/expected"
cut -f 1 "$scratch/predictions" | diff "$scratch/expected" -
"$scratch/base/bin/python" -X importtime "$scratch/base/bin/sentiment-edge" explain "I loved it." 2> "$scratch/imports"
if grep -E '\| +(torch|transformers|huggingface_hub)(\.|$)' "$scratch/imports"; then
    echo "the base install imports what it must not" >&2
    exit 1
fi

install "$scratch/library" numpy onnxruntime tokenizers
"$scratch/library/bin/python" -m pip install --quiet --no-deps "$wheel"
"$scratch/library/bin/python" -c 'from sentiment_edge import load; assert load()("I loved it.").label == "positive"'
echo "the wheel stands alone"
