#!/bin/sh
# Install a wheel in an environment of its own, and run tests of a copy of the repository against what is installed there.
# In FOLDER lie wheel/, requirements.txt, constraints.txt; it gets versions.json, missing.txt, tests.xml, tests.log, seconds.txt.
# usage: light_tests.sh REPOSITORY FOLDER TEST...
set -eu
repository=$(cd "$1" && pwd)
folder=$(cd "$2" && pwd)
shift 2

${PYTHON:-python3} -m venv "$folder/venv"
python=$folder/venv/bin/python
install() { "$python" -m pip install ${PIP_OPTIONS:-} --quiet --no-compile --only-binary=:all: --constraint "$folder/constraints.txt" "$@"; }
: > "$folder/missing.txt"
for wheel in "$folder"/wheel/*.whl; do
    # In one go, so that pip chooses versions that go together; where one has no wheel, each for itself.
    if ! install "$wheel" --requirement "$folder/requirements.txt" 2> "$folder/install.log"; then
        install "$wheel" 2>> "$folder/install.log" || { echo "the wheel's own dependencies" > "$folder/missing.txt" && exit 0; }
        while read -r requirement; do
            install "$requirement" 2>> "$folder/install.log" || echo "$requirement" >> "$folder/missing.txt"
        done < "$folder/requirements.txt"
    fi
done
"$python" -m pip list --format=json > "$folder/versions.json"

# The repository comes after site-packages, and in no working folder: the tests find their helpers there, and never the package.
printf '%s\n' "$repository" > "$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/repository.pth"
mkdir -p "$folder/work"
cd "$folder/work"
began=$(date +%s)
for test in "$@"; do # paths become absolute
    shift
    set -- "$@" "$repository/$test"
done
"$python" -m pytest --config-file "$repository/pyproject.toml" --override-ini pythonpath="$repository/tests" \
    -p tools.pythons.installed -p no:cacheprovider --ignore "$repository/tests/export" --junit-xml "$folder/tests.xml" "$@" \
    > "$folder/tests.log" 2>&1 || echo "status $?" >> "$folder/tests.log"
echo $(($(date +%s) - began)) > "$folder/seconds.txt"
