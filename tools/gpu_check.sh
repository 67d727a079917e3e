#!/usr/bin/env bash
# Check and benchmark headmime on this GPU. At most eight minutes with the defaults.
#
#     bash tools/gpu_check.sh
#     OUT=out STORE=runs/stores/mine BATCH=64 KEYS='sources=2' bash tools/gpu_check.sh
# Runs the tests of tests/gpu, the bench, and a training of UPDATES updates that is stopped by SIGTERM and
# resumed for as many. A failed step does not stop the next one. Writes summary.log, a log of each step
# and bench.json to $OUT. Without STORE it trains on generated images. DEVICE=cpu is a rehearsal.
# Needs no network: missing packages are installed from the folder WHEELS (docs/guide/train.md).
set -u
OUT=${OUT:-runs/gpu_check} RUN=${RUN:-runs/gpu_check_run}
source "$(dirname "$0")/gpu_common.sh"
: "${STORE:=}" "${SIDE:=256}" "${UPDATES:=100}" "${TESTS:=tests/gpu}" "${BENCH:=--seconds 60}"
: "${TESTS_S:=90}" "${BENCH_S:=150}" "${TRAIN_S:=120}"

[ "$DEVICE" = cuda ] || export HEADMIME_TEST_DEVICE=$DEVICE # tests/gpu skips without a GPU
prepare
step tests "$TESTS_S" "$PYTHON" -m pytest -q -p no:cacheprovider "$TESTS"
# shellcheck disable=SC2086 # BENCH are words
LINES_SAID=40 step bench "$BENCH_S" "$PYTHON" tools/bench.py --device "$DEVICE" --out "$OUT/bench.json" $BENCH

rm -rf "$RUN/checkpoints" "$RUN/logs" # of an earlier check
if [ -z "$STORE" ]; then
    STORE=$RUN/store
    [ -f "$STORE/manifest.json" ] || step store 60 "$PYTHON" -c "
import sys; from pathlib import Path
sys.path.insert(0, 'tools')
from bench_episodes import generated_store
generated_store(Path('$STORE'), $SIDE)"
fi

until_seen() { # NAME EPISODES: train until its curves have seen so many, then SIGTERM
    local begun code training
    begun=$(date +%s)
    say "$1: begins, $TRAIN_S s at most"
    # What torch.compile takes is part of it; the second time its graphs are in torch's cache.
    train "$OUT/$1.log" "$TRAIN_S" log_every=10 save_every=1000000 validation.every=null &
    training=$!
    while kill -0 "$training" 2> /dev/null && (($(episodes) < $2)); do sleep 1; done
    kill -TERM "$training" 2> /dev/null
    wait "$training"
    code=$?
    tail -n 3 "$OUT/$1.log"
    say "$1: exit code $code (143: stopped, its state kept), $(episodes) episodes seen, $(($(date +%s) - begun)) s"
}

until_seen training $((UPDATES * BATCH))
until_seen going_on $(($(episodes) + UPDATES * BATCH)) # it may have seen more by then
grep -q "Resuming from" "$OUT/going_on.log" || say "going_on: did not go on from the state"
cp "$RUN"/logs/version_*/metrics.csv "$OUT/" 2> /dev/null
say "done: $OUT"
