# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt

.PHONY: demo view test fuzz watching lint format docs wheel programs instructions hooks test-python test-pythons bench ablation drpl-ablation drpl-terms adapting bundle \
  bundle-drpl bundle-drpl-paper bundle-drpl-small bundle-scout bundle-refiner bundle-arbiter clean

$(VENV)/.base:
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.demo: $(VENV)/.base pyproject.toml constraints.txt
	$(PIP) -e '.[demo]'
	touch $@

$(VENV)/.dev: $(VENV)/.base pyproject.toml constraints.txt
	$(PIP) -e '.[train,dev]'
	touch $@ $(VENV)/.demo

$(VENV)/.docs: $(VENV)/.base pyproject.toml constraints.txt
	$(PIP) -e '.[docs]'
	touch $@

# Fuse stacks that the project makes itself, and put the pictures into demo-out/.
demo: $(VENV)/.demo
	$(BIN)/python -m panfocus.demo demo-out

# The page, on the stacks of the demo.
view: $(VENV)/.demo
	$(PIP) -e '.[web]'
	test -d demo-out || $(BIN)/python -m panfocus.demo demo-out
	$(BIN)/panfocus view demo-out/motorcycle/frames demo-out/coffee/frames demo-out/lights/frames

test: $(VENV)/.dev
	$(BIN)/pytest -n 2

# Hostile inputs and surroundings, and what holds of every fusion; another FUZZ_SEED draws others.
FUZZ_SECONDS ?= 600
FUZZ_SEED ?= 0
fuzz: $(VENV)/.dev
	$(BIN)/python -m fuzz --seconds $(FUZZ_SECONDS) --seed $(FUZZ_SEED)

# A day of watching, with faults, in so many minutes.
WATCHING_HOURS ?= 24
WATCHING_MINUTES ?= 20
watching: $(VENV)/.dev
	$(BIN)/python -m fuzz.watching --hours $(WATCHING_HOURS) --minutes $(WATCHING_MINUTES) --seed $(FUZZ_SEED)

lint: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(BIN)/lint-imports

# The site of the documentation, into site/; nothing on it may be fetched from elsewhere.
docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict
	@! grep -rnE '<(script|link|img|iframe)[^>]* (src|href)="(https?:)?//' site --include='*.html'

# Wheel and sdist, tried in a clean environment without torch; what is built lies in dist/.
wheel: $(VENV)/.dev
	$(BIN)/pytest -m wheel tests/packaging

# The plug-ins inside ImageJ and darktable, on a virtual display, where these are installed.
programs: $(VENV)/.dev
	$(BIN)/pytest -m programs tests/integrations

# Style before every commit, types and the import contract before every push.
hooks: $(VENV)/.dev
	$(BIN)/pre-commit install --hook-type pre-commit --hook-type pre-push

# The tests that need no torch by another Python, in an environment of its own:
# `make test-python PYTHON=python3.13`.
OTHER = .venv-$(notdir $(PYTHON))
test-python:
	$(PYTHON) -m venv $(OTHER)
	$(OTHER)/bin/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(OTHER)/bin/pytest -n 2

# The same by each of these that is here.
PYTHONS ?= python3.11 python3.12 python3.13 python3.14
test-pythons:
	for p in $(PYTHONS); do if $$p --version; then $(MAKE) test-python PYTHON=$$p || exit 1; fi; done

# Whether a fusion takes more instructions than it did, where perf or valgrind can count them.
instructions: $(VENV)/.dev
	$(BIN)/python benchmarks/instructions.py

format: $(VENV)/.dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Every table of docs/results.md, an hour or two on two cores; or one: `make table-lytro`. `make
# tables` names them. DATA: pictures and stacks; PEERS: the bin folder of an environment with the
# peers (pip install focusweave openfocus); SYSTEMS: what is compared.
DATA ?= ../shared/data
PEERS ?=
SYSTEMS ?= dualpath,dualpath-picture,drpl,drpl-small,guided,guided-tenengrad,pyramid
OTHERS := focusweave stackmffv3 guided_filter gfgfgf
SEEN = $(if $(PEERS),$(foreach p,$(OTHERS),--results $(p)=$(1)/$(p)))
AUTHORS := --results drpl-authors=$(DATA)/published/drpl_outputs
QUALITY := --metrics Q_W,Q_G,Q_MI,Q_Y,Q_CB --no-plots --overwrite
R := docs/results
WHU := $(DATA)/eval/mfi_whu30
LYTRO := $(DATA)/eval/lytro
TABLES := quality dim mfi_whu lytro lytro3 mffw gray10 sectioned agreement cost large_scenes wide_blurs wide_lights working_scale fold_order \
  breathing batch metrics_speed streaming speed page
.PHONY: tables results $(TABLES:%=table-%)

bench: $(TABLES:%=table-%)
	$(BIN)/python benchmarks/report.py $(R) docs/results.md

tables:
	@echo $(TABLES:%=table-%) ablation drpl-ablation drpl-terms adapting

# The page anew, from the tables that are there.
results: $(VENV)/.dev
	$(BIN)/python benchmarks/report.py $(R) docs/results.md

runs/.sets: $(VENV)/.dev
	mkdir -p runs
	$(BIN)/python benchmarks/make_sets.py $(DATA)/eval/kodak12 runs/sets
	touch $@

runs/.large: $(VENV)/.dev
	mkdir -p runs
	$(BIN)/python benchmarks/make_large.py $(DATA)/eval/kodak12 runs/large
	touch $@

# What others fuse of the same files.
ifneq ($(PEERS),)
OTHERS_DONE := runs/.peers
runs/.peers: runs/.sets
	$(BIN)/python benchmarks/peers.py runs/sets $(PEERS) runs/peers/sets
	$(BIN)/python benchmarks/peers.py $(WHU) $(PEERS) runs/peers/whu
	$(BIN)/python benchmarks/peers.py $(LYTRO) $(PEERS) runs/peers/lytro
	touch $@
endif

table-quality: runs/.sets $(OTHERS_DONE)
	$(BIN)/python benchmarks/quality.py runs/sets --systems $(SYSTEMS) \
	  $(call SEEN,runs/peers/sets) > $(R)/quality.md

table-dim: runs/.sets
	$(BIN)/python benchmarks/quality.py runs/sets --systems dualpath,guided --kinds layers,depth \
	  --bits 12 > $(R)/dim.md

table-mfi_whu: $(VENV)/.dev $(OTHERS_DONE)
	$(BIN)/python benchmarks/pairs_with_truth.py $(WHU) --systems $(SYSTEMS) $(AUTHORS) \
	  $(call SEEN,runs/peers/whu) > $(R)/mfi_whu.md

table-lytro: $(VENV)/.dev $(OTHERS_DONE)
	$(BIN)/panfocus evaluate --data $(LYTRO) --systems $(SYSTEMS) $(AUTHORS) \
	  $(call SEEN,runs/peers/lytro) $(QUALITY) --out runs/lytro
	cp runs/lytro/summary.md $(R)/lytro.md

# Three frames a scene, pairs whose defocus spreads, and grey pairs.
# Q_Y is of two frames
table-lytro3: QUALITY := --metrics Q_W,Q_G,Q_MI,Q_CB --no-plots --overwrite
table-lytro3 table-mffw table-gray10: table-%: $(VENV)/.dev
	$(BIN)/panfocus evaluate --data $(DATA)/eval/$* --systems $(SYSTEMS) $(QUALITY) $(ALIGN) --out runs/$*
	cp runs/$*/summary.md $(R)/$*.md
# pairs in the wild do not all lie on each other
table-mffw: ALIGN := --align auto

table-sectioned: $(VENV)/.dev
	$(BIN)/python benchmarks/sectioned.py $(FLUORESCENCE) > $(R)/sectioned.md

table-agreement: $(VENV)/.dev
	$(BIN)/python benchmarks/agreement.py $(LYTRO) $(DATA)/published/drpl_outputs \
	  --systems drpl,dualpath > $(R)/agreement.md

table-cost: $(VENV)/.dev
	$(BIN)/python benchmarks/cost.py $(LYTRO)/A/*01* $(LYTRO)/B/*01* --systems $(SYSTEMS) > $(R)/cost.md

table-large_scenes: runs/.sets
	$(BIN)/python benchmarks/large_scenes.py runs/sets > $(R)/large_scenes.md

table-wide_blurs: $(VENV)/.dev
	$(BIN)/python benchmarks/wide_blurs.py $(DATA)/eval/kodak12 > $(R)/wide_blurs.md

table-wide_lights: $(VENV)/.dev
	$(BIN)/python benchmarks/wide_lights.py $(DATA)/eval/kodak12 > $(R)/wide_lights.md

table-working_scale: runs/.large
	$(BIN)/python benchmarks/working_scale.py runs/large --systems dualpath,guided > $(R)/working_scale.md
	$(BIN)/python benchmarks/working_scale.py runs/large --systems drpl --stacks pair24 \
	  --factors 4,5,6,8 >> $(R)/working_scale.md

table-fold_order: runs/.sets
	for s in drpl dualpath; do $(BIN)/python benchmarks/fold_order.py runs/sets --system $$s; done \
	  > $(R)/fold_order.md
	$(BIN)/python benchmarks/fold_order.py runs/sets --system dualpath --group 8 >> $(R)/fold_order.md

table-breathing: $(VENV)/.dev
	$(BIN)/python benchmarks/breathing.py $(DATA)/eval/kodak12 --half second > $(R)/breathing.md

table-batch: $(VENV)/.dev
	$(BIN)/python benchmarks/batch_scaling.py > $(R)/batch.md

table-metrics_speed: $(VENV)/.dev
	$(BIN)/python benchmarks/speed_metrics.py > $(R)/metrics_speed.md

table-page: $(VENV)/.dev
	mkdir -p runs
	$(BIN)/python benchmarks/page.py runs/page > $(R)/page.md

table-streaming: $(VENV)/.dev
	mkdir -p runs
	$(BIN)/python benchmarks/streaming.py runs --counts 5,30,100 --systems guided,dualpath \
	  > $(R)/streaming.md

table-speed: runs/.large
	mkdir -p runs/lytro01 && cp $(LYTRO)/A/*01* runs/lytro01/a.jpg && cp $(LYTRO)/B/*01* runs/lytro01/b.jpg
	$(BIN)/python benchmarks/speed.py runs/lytro01 $(DATA)/eval/stacks/pcb_strip7 runs/large/pair24 \
	  runs/large/stack12 runs/large/stack2 --systems dualpath,guided \
	  --frames 2,5,10,20,50 --pixels 1,3,12,24,60 \
	  $(if $(PEERS),--peers $(PEERS)) > $(R)/speed.md

# What each part of Dual-Path is worth: every recipe for MINUTES on one core, then the table.
MINUTES ?= 10
ABLATED ?= paper paper-blocks paper-masked-guide paper-open-guide paper-no-guide paper-same-mask \
  paper-all-measures paper-no-evidence paper-one-step dualpath dualpath-made-alone \
  dualpath-frames-only dualpath-no-lights dualpath-no-fluorescence dualpath-hard-edges
ablation: $(VENV)/.dev
	for r in $(ABLATED); do $(BIN)/panfocus train dualpath --data $(DATA)/train_pairs --recipe $$r \
	  --minutes $(MINUTES) --threads 1 --out runs/ablation/$$r || exit 1; done
	$(BIN)/python benchmarks/dualpath_ablation.py runs/sets $(ABLATED:%=runs/ablation/%) --pairs $(WHU) \
	  > $(R)/dualpath.md

# What each term of DRPL's loss is worth, as in the paper's own ablation: the same seed and so many
# steps each. `DRPL_RECIPE=published` is the paper's network; on a processor that takes days.
DRPL_STEPS ?= 600
DRPL_RECIPE ?= published-short
SHARP := $(DATA)/train_sharp
MASKS := --masks $(SHARP)/ecssd400/masks --masks $(SHARP)/alphamatting27/alpha
TRAIN_DRPL := $(BIN)/panfocus train drpl --data $(SHARP) --threads 1
T := runs/drpl-ablation
drpl-ablation: $(VENV)/.dev
	$(TRAIN_DRPL) --recipe $(DRPL_RECIPE) --steps $(DRPL_STEPS) --out $(T)/mask \
	  --set loss.gradient=0 --set loss.ssim=0
	$(TRAIN_DRPL) --recipe $(DRPL_RECIPE) --steps $(DRPL_STEPS) --out $(T)/gradient --set loss.ssim=0
	$(TRAIN_DRPL) --recipe $(DRPL_RECIPE) --steps $(DRPL_STEPS) --out $(T)/ssim --set loss.gradient=0
	$(TRAIN_DRPL) --recipe $(DRPL_RECIPE) --steps $(DRPL_STEPS) --out $(T)/all
	$(BIN)/python benchmarks/drpl_ablation.py $(T)/mask $(T)/gradient $(T)/ssim $(T)/all \
	  --pictures $(DATA)/eval/kodak12 --pairs $(WHU) --sets runs/sets > $(R)/drpl_ablation.md

# Whether the paper's terms should lead: their shares in the bundled weights' loss and gradient, and
# those weights trained on with the terms as they are and leading, as many steps of the same pairs.
TERMS_STEPS ?= 400
U := runs/drpl-terms
drpl-terms: $(VENV)/.dev
	$(BIN)/python benchmarks/make_validation.py $(SHARP) runs/val
	for r in better paper-led; do $(TRAIN_DRPL) $(MASKS) --init bundled --recipe $$r --seed 31 \
	  --steps $(TERMS_STEPS) --out $(U)/$$r || exit 1; done
	for r in better paper-led; do $(BIN)/python benchmarks/drpl_loss_shares.py $(SHARP) $(MASKS) \
	  --recipe $$r || exit 1; done > $(R)/drpl_terms.md
	$(BIN)/python benchmarks/drpl_ablation.py drpl-2 $(U)/better $(U)/paper-led --sets runs/val \
	  --kinds layers,hard,bokeh --pairs $(WHU) >> $(R)/drpl_terms.md

# What adapting brings: 20 minutes of the bundled weights on each material, held-out frames measured.
ADAPTED ?= pathology8 stacks/dmiau_flowerMan stacks/dmiau_math
adapting: $(VENV)/.dev
	for m in $(ADAPTED); do $(BIN)/panfocus train dualpath --data $(DATA)/train_pairs/$$m --init bundled \
	  --minutes 20 --threads 1 --out runs/adapted/$$(basename $$m) || exit 1; done
	$(BIN)/python benchmarks/adapting.py $(foreach m,$(ADAPTED),runs/adapted/$(notdir $(m))) > $(R)/adapt.md

# A bundle from data: train both paths, export, and write the values that the tests hold it to.
BUNDLE ?= dualpath-5
bundle: $(VENV)/.dev
	$(BIN)/panfocus train dualpath --data $(DATA)/train_pairs --minutes $(MINUTES) --out runs/bundle
	$(BIN)/panfocus export runs/bundle --sharpen 1.4 --no-restorer --eight-bit $(DATA)/train_pairs \
	  -o src/panfocus/systems/bundled/$(BUNDLE)
	$(BIN)/python -m tests.systems.test_bundled

# The same of DRPL: by our recipe, going on from the bundled weights; by the published one, which shows
# what the paper's loss and pairs alone give; and a small network taught by the bundled one. Each goes on
# after an interruption with RESUME=--resume. On a card, as the bundled ones were made:
#   make bundle-drpl DRPL_MINUTES=9 ON="--device cuda --loaders 4 --batch-factor 16 --set learning_rate=1e-3 --set ema=.999"
# with --batch-factor 10 for the published recipe, 8 and learning_rate=1.5e-3 for the small network.
DRPL_MINUTES ?= 60
RESUME ?=
ON ?=
bundle-drpl: $(VENV)/.dev
	$(TRAIN_DRPL) --init bundled $(MASKS) --minutes $(DRPL_MINUTES) --out runs/drpl $(ON) $(RESUME)
	$(BIN)/panfocus export runs/drpl --data "$(SHARP_TERMS)" -o src/panfocus/systems/bundled/drpl-3
	$(BIN)/python -m tests.systems.test_bundled

bundle-drpl-paper: $(VENV)/.dev
	$(TRAIN_DRPL) --recipe published --minutes $(DRPL_MINUTES) --out runs/drpl-paper $(ON) $(RESUME)
	$(BIN)/panfocus export runs/drpl-paper --data "$(SHARP_TERMS)" \
	  -o src/panfocus/systems/bundled/drpl-paper-3
	$(BIN)/python -m tests.systems.test_bundled

bundle-drpl-small: $(VENV)/.dev
	$(TRAIN_DRPL) --recipe small --init bundled $(MASKS) --minutes $(DRPL_MINUTES) --out runs/drpl-small \
	  $(ON) $(RESUME)
	$(BIN)/panfocus export runs/drpl-small --data "$(SHARP_TERMS)" \
	  -o src/panfocus/systems/bundled/drpl-small-4
	$(BIN)/python -m tests.systems.test_bundled

# What names the frames of a long stack; as the bundled one was made: ON="--device cuda --loaders 15".
bundle-scout: $(VENV)/.dev
	$(BIN)/python -m panfocus.train.scout $(DATA)/train_pairs --minutes $(MINUTES) --out runs/scout $(ON)
	cp runs/scout/scout/* src/panfocus/systems/scout/

# What chooses between decisions at two scales.
bundle-arbiter: $(VENV)/.dev
	$(BIN)/python -m panfocus.train.arbiter $(DATA)/train_pairs --minutes $(MINUTES) --out runs/arbiter $(ON)
	cp runs/arbiter/arbiter/* src/panfocus/systems/arbiter/

# What carries decisions of a reduced scale to full scale.
bundle-refiner: $(VENV)/.dev
	$(BIN)/python -m panfocus.train.refiner $(DATA)/train_pairs --minutes $(MINUTES) --out runs/refiner $(ON)
	cp runs/refiner/refiner/* src/panfocus/systems/refiner/

SHARP_TERMS := 427 sharp pictures, synthesised into pairs: ECSSD 400 (no licence stated) and \
  alphamatting.com 27 (no licence stated); no picture is contained in the weights' package

clean:
	rm -rf $(VENV) .venv-* demo-out dist site .pytest_cache .ruff_cache
