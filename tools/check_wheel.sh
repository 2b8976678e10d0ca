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
    ${PYTHON:-python3} -m venv "$environment"
    "$environment/bin/python" -m pip install ${PIP_OPTIONS:-} --quiet --constraint "$here/../constraints.txt" "$@"
}

install "$scratch/base" "$wheel"
traced() { "$scratch/base/bin/python" -X importtime -m sentiment_edge "$@" 2>> "$scratch/imports"; }
printf 'I loved it.\nDreadful.\n' | traced predict > "$scratch/predictions"
printf 'positive\nnegative\n' > "$scratch/expected"
cut -f 1 "$scratch/predictions" | diff "$scratch/expected" -
traced explain "I loved it." > "$scratch/explanation"
grep -q loved "$scratch/explanation"
printf 'text,label\nI loved it.,positive\nDreadful.,negative\n' > "$scratch/rows.csv"
traced evaluate --data "$scratch/rows.csv" --report "$scratch/page.html" > "$scratch/figures"
grep -q '^accuracy  *1.0000$' "$scratch/figures"
"$scratch/base/bin/sentiment-edge" --version
if "$scratch/base/bin/sentiment-edge" export --model gru-mini 2> "$scratch/refusal"; then
    echo "export works without its extra?" >&2
    exit 1
fi
grep -qF "pip install 'sentiment-edge[export]'" "$scratch/refusal"
if grep -E '\| +(torch|transformers|huggingface_hub)(\.|$)' "$scratch/imports"; then
    echo "the base install imports what it must not" >&2
    exit 1
fi

install "$scratch/library" --no-deps numpy onnxruntime tokenizers "$wheel"
"$scratch/library/bin/python" -c 'from sentiment_edge import load; assert load()("I loved it.").label == "positive"'
echo "the wheel stands alone"
