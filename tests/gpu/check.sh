#!/usr/bin/env bash
# What edudiff does on this machine's GPU, settled in one run of less than eight minutes: tests/gpu/check.sh FOLDER
#
# Needs the package and its tests' needs, CuPy and a GPU; PyTorch for the comparisons with it, and EDUDIFF_DATA for real
# pictures, where they are there; no network. Prints one JSON line a result and leaves in FOLDER gpu.json, all of them,
# and log.txt, what else was said. Each part has its own limit of seconds, and one that fails does not stop the next.
# EDUDIFF_DRY_RUN=1 tries all of it with tiny sizes on a machine without a GPU. PARTS="speed demo": only these.
set -uo pipefail
[ $# = 1 ] || { echo "usage: $0 FOLDER" >&2; exit 2; }
mkdir -p "$1" && OUT=$(cd "$1" && pwd) || exit 2
HERE=$(cd "$(dirname "$0")" && pwd)
cd "$HERE/../.." || exit 2
export PYTHONPATH=$PWD:$PWD/tests:$PWD/tests/benchmarks${PYTHONPATH:+:$PYTHONPATH} MPLBACKEND=Agg PYTHONUNBUFFERED=1
PYTHON=${PYTHON:-python}
: > "$OUT/log.txt"
LINES=$(mktemp) && trap 'rm -f "$LINES"' EXIT

missing=()
part() { # part NAME SECONDS: its lines go to the screen and the file, all else to the log
    local name=$1 limit=$2 begun=$SECONDS status
    [[ " ${PARTS:-$name} " == *" $name "* ]] || return
    echo "== $name" >> "$OUT/log.txt"
    timeout --kill-after=5 "$limit" "$PYTHON" "$HERE/check.py" "$name" 2>> "$OUT/log.txt" | tee -a "$LINES"
    status=${PIPESTATUS[0]}
    [ "$status" = 0 ] || missing+=("$name")
    printf '{"part": "%s", "what": "end", "status": %d, "limit": %d, "took": %d}\n' \
        "$name" "$status" "$limit" $((SECONDS - begun)) | tee -a "$LINES"
}

part card 20
part exact 60
part tests 100
part speed 90
part training 60
part picture 30
part demo 60
part commands 40

"$PYTHON" "$HERE/check.py" gather "$LINES" "$OUT/gpu.json" ${missing[@]+"${missing[@]}"}
