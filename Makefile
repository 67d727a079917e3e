# `make help` lists the targets. Everything runs in .venv, which is made when it is missing.

# The first Python on the path that is new enough; `make setup PYTHON=/usr/bin/python3.12` names another.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready

# As `headmime.threads.wait_passively`, for programs that import torch first.
ifeq ($(OMP_WAIT_POLICY)$(GOMP_SPINCOUNT)$(KMP_BLOCKTIME),)
export OMP_WAIT_POLICY := PASSIVE
export GOMP_SPINCOUNT := 3000
endif

EXTRAS = dev
EXP ?= cpu_meta
T ?= all
N ?= 200
DRIVE ?= talk
STUDY ?= runs/userstudy
PORT = 8765
ARGS ?=

.DEFAULT_GOAL := help
.PHONY: help setup demo animate finetune web sitters preprocess train figures userstudy eval motion forensics protection-study table1 results report claims curves ablations test check campaign bench lint lock wheelhouse clean

help: ## list the targets (this list)
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  make %-16s %s\n", $$1, $$2}' Makefile
	@echo
	@echo "ARGS='key=value ...' goes to the command as it is; devices, nodes and seeds are such keys:"
	@echo "  make train EXP=cpu_meta ARGS='trainer.devices=2 trainer.num_nodes=1 seed=3'    (several machines: docs/guide/train.md)"

setup: $(READY) ## make .venv and install everything into it (first time: about 5 minutes, 7 GB); less: EXTRAS= or EXTRAS=web,sitters
ifeq ($(origin EXTRAS),command line)
.PHONY: $(READY)
endif

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "headmime needs Python 3.11 or newer, and none is on the path." \
		"Install one, or name it: make setup PYTHON=/path/to/python3.12"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo \
		"headmime needs Python 3.11 or newer; $(PYTHON) is older. Name another: make setup PYTHON=python3.12"; exit 1; }
	@echo "Setting up .venv with $(PYTHON): torch and its libraries are about 5 GB, so this takes minutes the first time."
	@test -x $(BIN)/pip || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --constraint constraints.txt --editable '.$(if $(EXTRAS),[$(EXTRAS)])'
	@# Without opencv-python, which it asks for: opencv-python-headless is there, and needs no libGL.
	$(if $(filter dev,$(EXTRAS)),$(BIN)/python -m pip install --constraint constraints.txt --no-deps face-alignment numba llvmlite)
	@touch $@

demo: $(READY) ## make the Mona Lisa talk: fine-tune on one image, animate, write mp4, GIF and PNG
	$(BIN)/headmime demo $(ARGS)

animate: $(READY) ## animate a person: SRC=photo.jpg DRIVE=video.mp4 OUT=out.mp4 CONSENT=own|licensed|public-domain|research
	@test -n "$(SRC)" || { echo "SRC is missing: make animate SRC=photo.jpg DRIVE=talk OUT=out.mp4 CONSENT=own"; exit 1; }
	$(BIN)/headmime animate "source=$(SRC)" "driving=$(DRIVE)" "out=$(or $(OUT),runs/animated.mp4)" "consent=$(CONSENT)" "T=$(T)" $(ARGS)

finetune: $(READY) ## fine-tune and save a personal model for `animate person=`: SRC=photos/ T=8 OUT=models/me CONSENT=...
	@test -n "$(SRC)" || { echo "SRC is missing: make finetune SRC=photos/ T=8 OUT=models/me CONSENT=own"; exit 1; }
	$(BIN)/headmime finetune "source=$(SRC)" "T=$(T)" "out=$(or $(OUT),runs/person)" "consent=$(CONSENT)" $(ARGS)

web: $(READY) ## serve the local web page: images and a motion in, a video out (ARGS='port=8000 open=true')
	$(BIN)/headmime web $(ARGS)

sitters: $(READY) ## render a training set of synthetic talking heads: N=200 OUT=runs/stores/sitters
	$(BIN)/headmime data sitters "n=$(N)" "out=$(or $(OUT),runs/stores/sitters)" $(ARGS)

preprocess: DATA ?= voxceleb2
preprocess: $(READY) ## make a clip store of a data set: ROOT=VoxCeleb2 OUT=runs/stores/voxceleb2 DATA=voxceleb2|voxceleb1|folder
	@test -n "$(ROOT)" || { echo "ROOT is missing: make preprocess DATA=voxceleb2 ROOT=VoxCeleb2 OUT=runs/stores/voxceleb2"; exit 1; }
	$(BIN)/headmime preprocess "data=$(DATA)" "root=$(ROOT)" "out=$(or $(OUT),runs/stores/$(DATA))" $(ARGS)

train: $(READY) ## meta-train an experiment of experiments/: EXP=cpu_meta ARGS='trainer.accelerator=gpu seed=3'
	$(BIN)/headmime train -cn $(EXP) $(ARGS)

figures: EXP = eval_sitters
figures: $(READY) ## draw figures of rows: grid, quality against T, worst 5 %, videos: EXP=eval_sitters OUT=runs/figures
	$(BIN)/headmime figures -cn $(EXP) "figures.out=$(or $(OUT),runs/figures)" $(ARGS)

userstudy: EXP = eval_sitters
userstudy: $(READY) ## serve the user study on this machine: STUDY=runs/userstudy PORT=8765 EXP=eval_sitters ARGS='T=8'
	test -d "$(STUDY)" || $(BIN)/headmime userstudy prepare -cn $(EXP) "study.out=$(STUDY)" $(ARGS)
	$(BIN)/headmime userstudy serve "$(STUDY)" port=$(PORT)

eval: EXP = eval_sitters
eval: $(READY) ## score one row of a table: EXP=eval_sitters ARGS='method=ft T=8' (ft ff copy nearest warp mean real)
	$(BIN)/headmime eval -cn $(EXP) $(ARGS)

motion: $(READY) ## compare absolute and relative motion, by sitters' true cross-reenactment: docs/results/motion.md
	for motion in absolute relative own; do for row in 'ff 1,8' 'ft 1'; do set -- $$row; \
		$(BIN)/headmime table -cn eval_cross_sitters motion=$$motion held_out=12 \
			"table.methods=[$$1]" "table.Ts=[$$2]" $(ARGS) || exit 1; done; done
	$(BIN)/python tools/bench_motions.py runs/stores/sitters_cross runs/results

forensics: EXP = eval_sitters
forensics: $(READY) ## measure how detectable a row's output is: EXP=eval_sitters ARGS='method=ft T=8'
	$(BIN)/headmime forensics -cn $(EXP) $(ARGS)

protection-study: EXP = eval_real
protection-study: $(READY) ## what protective noise is worth, beside uniform noise: EXP=eval_real ARGS='protection.strength=8'
	$(BIN)/headmime protection -cn $(EXP) $(ARGS)

table1: EXP = eval_store
table1: $(READY) ## score all rows of a data set, resuming: EXP=vox2_table, or DATA=runs/stores/mine ARGS='mode=cross'
	$(BIN)/headmime table -cn $(EXP) $(if $(DATA),"store=$(DATA)" "dataset=$(notdir $(DATA))") $(ARGS)

results: HALF = report
results: OUT = $(if $(filter report,$(HALF)),docs/results/results.md,runs/results-$(HALF).md)
results: RESULTS = $(if $(filter report,$(HALF)),runs/results,runs/results-$(HALF))
results: STORE = runs/stores/real-$(HALF)
results: ON_REAL = $(BIN)/headmime table -cn eval_real "store=$(STORE)" "dataset=real-$(HALF)" "results=$(RESULTS)"
results: $(READY) ## real people: store, tables (self, cross, portraits), report: REAL=folder HALF=report|tune (docs/guide/evaluate.md)
	@test -n "$(REAL)" || { echo "REAL is missing, the folder of clips.tsv, portraits.tsv and their files (docs/guide/own_data.md):" \
		"make results REAL=folder"; exit 1; }
	$(BIN)/headmime preprocess data=listed "data.split=$(HALF)" "root=$(REAL)" "out=$(STORE)" detector=dlib frames=null test_share=1
	$(ON_REAL) $(ARGS)
	for motion in absolute relative; do \
		$(ON_REAL) $(ARGS) mode=cross motion=$$motion 'table.Ts=[1]' || exit 1; done
	@test -f "$(REAL)/portraits.tsv" || echo "$(REAL) has no portraits.tsv: no table of single images is made."
	test ! -f "$(REAL)/portraits.tsv" || for motion in absolute relative; do \
		$(ON_REAL) $(ARGS) mode=portrait drivers=3 motion=$$motion 'table.Ts=[1]' || exit 1; done
	$(BIN)/headmime report "$(RESULTS)" "$(OUT)"

report: $(READY) ## write docs/results/results.md from the results: RESULTS=runs/results OUT=docs/results/results.md
	$(BIN)/headmime report "$(or $(RESULTS),runs/results)" "$(or $(OUT),docs/results/results.md)"

claims: EXP = claims
claims: $(READY) ## test the paper's claims on sitters (hours; resumes): EXP=claims OUT=experiments/claims
	$(BIN)/headmime claims -cn $(EXP) $(if $(OUT),"claims.out=$(OUT)") $(ARGS)

curves: EXP = finetuning_curves
curves: $(READY) ## evaluate the length of fine-tuning: identity against motion over updates (resumes): OUT=runs/curves ARGS='store=...'
	$(BIN)/headmime curves -cn $(EXP) $(if $(OUT),"curves.out=$(OUT)") $(ARGS)

ablations: EXP = ablations
ablations: $(READY) ## what a part, a loss, a setting buys: trainings, scored (hours; resumes): EXP=ablations|ablations_128|ablations_256|ablations_identity
	$(BIN)/headmime ablations -cn $(EXP) $(if $(OUT),"ablations.out=$(OUT)") $(ARGS)

test: $(READY) ## run the quick tests (under 8 minutes on 2 idle cores)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m "not slow" $(ARGS)

check: $(READY) ## run the slow tests: every printed command, kills, the wheel, pages (under 35 minutes on 2 idle cores)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile -m slow --ignore tests/web $(ARGS)
	$(BIN)/python -m pytest -m slow tests/web $(ARGS)

campaign: $(READY) ## make faults and see what happens: CAMPAIGN=inputs|kills|disks|page|live ARGS='--count 200 --seed 1'
	OMP_NUM_THREADS=1 $(BIN)/python tools/campaigns $(or $(CAMPAIGN),inputs) $(ARGS)

bench: $(READY) ## measure a step at the paper's size, W, frames; runs/bench.json (ARGS='--threads 1 --repeats 3')
	$(BIN)/python tools/bench.py $(ARGS)

lint: $(READY) ## check style and formatting with ruff, the types of src/ with pyright
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/basedpyright

LOCK = uv pip compile --quiet --group cluster --constraint constraints.txt --python-version 3.11 --generate-hashes \
	--python-platform x86_64-manylinux_2_28 --no-annotate --no-emit-index-url --custom-compile-command 'make lock'
lock: ## regenerate requirements/ from pyproject.toml and constraints.txt: versions with hashes (needs uv)
	@command -v uv >/dev/null || { echo "make lock needs uv: pip install uv"; exit 1; }
	echo torch | $(LOCK) --excludes /dev/stdin --output-file requirements/cluster.txt
	$(LOCK) $$(sed -n 's/==.*/ /; s/^[a-z]/--no-emit-package &/p' requirements/cluster.txt) --output-file requirements/torch.txt

# It needs no .venv, only a Python with pip; PYTHON is the version on the other machine, by default that Python's own.
wheelhouse: PIP = $(if $(wildcard $(BIN)/pip),$(BIN)/python,python3) -m pip
wheelhouse: PYTHON = $(shell $(firstword $(PIP)) -c 'import sys; print("%d.%d" % sys.version_info[:2])')
wheelhouse: PLATFORM = manylinux_2_28_x86_64
wheelhouse: OUT = wheelhouse
wheelhouse: GLIBC = $(word 3,$(subst _, ,$(PLATFORM)))
wheelhouse: MACHINE = $(PLATFORM:manylinux_2_$(GLIBC)_%=%)
wheelhouse: ## wheels for a machine without network: PYTHON=3.12 PLATFORM=manylinux_2_28_x86_64 OUT=wheelhouse TORCH=no (docs/guide/cluster.md)
	@# pip takes a platform for what it says; what was built for an older glibc runs too.
	$(PIP) download --require-hashes --no-deps --dest "$(OUT)" --python-version $(PYTHON) --implementation cp \
		$$(seq -f '--platform manylinux_2_%g_$(MACHINE)' $(GLIBC) -1 5) --platform manylinux2014_$(MACHINE) \
		-r requirements/cluster.txt $(if $(filter no,$(TORCH)),,-r requirements/torch.txt)
	for source in "$(OUT)"/*.tar.gz; do test ! -f "$$source" || \
		{ $(PIP) wheel --no-deps --wheel-dir "$(OUT)" "$$source" && rm "$$source"; } || exit 1; done
	$(PIP) wheel --no-deps --wheel-dir "$(OUT)" .
	cd "$(OUT)" && sha256sum *.whl | sed -E 's/^(\w+)  ([^-]+)-([^-]+)-.*/\2==\3 --hash=sha256:\1/' > requirements.txt

clean: ## remove caches and builds; runs/ and .venv stay
	rm -rf build dist .pytest_cache .ruff_cache .hypothesis
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +
