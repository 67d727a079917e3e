#!/usr/bin/env bash
# Train for MINUTES on a GPU that is available for a short time, losing at most EVERY seconds of progress.
#
#     OUT=out MINUTES=8 BATCH=64 KEYS='optim.warmup=500' bash tools/gpu_train.sh STORE [STORE ...]
# Several stores are joined. Every EVERY seconds, and at the end, weights (fp16), record, curves and the
# last two grids are written to $OUT as run.tar in pieces of PIECE: `cat run.tar.* | tar x`. Weights are
# saved every SAVE_EVERY updates. The run's folder is RUN: a second call resumes from its state.
# DEVICE=cpu is a rehearsal. Needs no network: missing packages are installed from the folder WHEELS
# (docs/guide/train.md).
set -u
OUT=${OUT:-runs/gpu_train} RUN=${RUN:-runs/gpu_train_run}
source "$(dirname "$0")/gpu_common.sh"
: "${1:?Give the folders of one or more stores.}" "${MINUTES:=8}" "${EVERY:=120}" "${PIECE:=15M}" "${SAVE_EVERY:=500}"

pack() {
    local new=$OUT/.new
    rm -rf "$new" && mkdir -p "$new" || return
    (
        cd "$RUN" || exit
        # shellcheck disable=SC2012 # names of grids are numbers
        ls -d record.json weights/*.safetensors weights/*.json logs/version_* $(ls -d grids/* 2> /dev/null | tail -n 2) 2> /dev/null
    ) | tar -C "$RUN" -cf - -T - 2> /dev/null | split -b "$PIECE" -d - "$new/run.tar."
    rm -f "$OUT"/run.tar.*
    mv "$new"/run.tar.* "$OUT/" && rmdir "$new"
    say "packed after $(episodes) episodes: $(cd "$OUT" && echo run.tar.*)"
}

prepare
STORE=$1
if (($# > 1)); then
    STORE=$RUN/store
    [ -f "$STORE/manifest.json" ] || step join 60 "$PYTHON" tools/join_shards.py "$STORE" "$@" || exit 1
fi

train "$OUT/training.log" "$((MINUTES * 60))" "save_every=$SAVE_EVERY" &
training=$!
trap 'kill -TERM "$training" 2> /dev/null' TERM INT
packed=$(date +%s)
while kill -0 "$training" 2> /dev/null; do
    sleep 1
    if (($(date +%s) - packed >= EVERY)); then
        packed=$(date +%s)
        pack
    fi
done
wait "$training"
say "training: exit code $? (124 or 143: stopped, its state kept)"
tail -n 3 "$OUT/training.log"
pack
