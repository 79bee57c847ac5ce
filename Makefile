# Each target is one line that says what it does. CARGO_TARGET_DIR is honoured throughout.
CARGO ?= cargo
NEXTEST := $(shell command -v cargo-nextest >/dev/null 2>&1 && echo yes)
FUZZ := $(or $(CARGO_TARGET_DIR),target)/fuzz-venv
SCHEMATHESIS := 4.32.5
VENV := $(or $(CARGO_TARGET_DIR),target)/venv

WEB := web
export BLAZZ_BIN ?= $(abspath $(or $(CARGO_TARGET_DIR),target))/debug/blazz

.PHONY: help run web demo chaos bench live test fuzz-api fuzz-webhooks lint fmt build deploy openapi

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/'

run: web ## start everything on http://localhost:8787, data in ./.blazz
	$(CARGO) build --release --workspace --bin blazz
	$(or $(CARGO_TARGET_DIR),target)/release/blazz

web: $(WEB)/node_modules ## build the web application into web/dist
	cd $(WEB) && npm run build

demo: ## import 10,000 contacts, send them a campaign, report in target/demo/report.json
	$(CARGO) build --release --workspace --bin blazz --bin demo
	$(or $(CARGO_TARGET_DIR),target)/release/demo

chaos: ## send 5,000 messages while everything goes wrong (SCENARIO=name for one), reports in target/chaos
	$(CARGO) build --release --workspace --bin blazz --bin chaos
	$(or $(CARGO_TARGET_DIR),target)/release/chaos

bench: ## measure campaigns, webhooks, API, imports, inbox and search (BENCH=name for one), reports in target/bench
	$(CARGO) build --release --workspace --bin blazz --bin bench
	$(or $(CARGO_TARGET_DIR),target)/release/bench

live: $(WEB)/node_modules ## cut two clients off for 30 seconds each, and see that both converge
	$(CARGO) build --workspace --bin blazz
	cd $(WEB) && DROP_SECONDS=30 npm test -w @blazz/client -- converge

test: $(WEB)/node_modules ## run every test
ifeq ($(NEXTEST),yes)
	$(CARGO) nextest run --workspace
else
	$(CARGO) test --workspace
endif
	$(CARGO) build --workspace --bin blazz
	cd $(WEB) && npm test -w @blazz/client && npm test && npm run build

fuzz-webhooks: ## damage webhooks at random for 10 minutes (MINUTES=n), and look for what is lost
	MINUTES=$(or $(MINUTES),10) $(CARGO) test --workspace --test it webhook_fuzz -- --nocapture

lint: $(VENV)/bin/cfn-lint $(WEB)/node_modules ## check formatting, clippy and eslint with warnings denied, and the template
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets -- -D warnings
	$(VENV)/bin/cfn-lint infra/template.yaml
	cd $(WEB) && npm run lint -w @blazz/client && npm run lint

fmt: ## format the code
	$(CARGO) fmt --all

fuzz-api: ## try the whole API of an instance of its own with schemathesis, report in target/fuzz
	$(CARGO) build --release --workspace --bin blazz
	$(FUZZ)/bin/st --version >/dev/null 2>&1 || (python3 -m venv $(FUZZ) && $(FUZZ)/bin/pip install --quiet schemathesis==$(SCHEMATHESIS))
	infra/fuzz/run $(or $(CARGO_TARGET_DIR),target)/release/blazz $(FUZZ)/bin/st $(or $(CARGO_TARGET_DIR),target)/fuzz

openapi: ## write docs/openapi.json anew from the routes
	BLAZZ_WRITE_OPENAPI=1 $(CARGO) test --workspace --test it openapi

build: ## make the Lambda artifacts in target/lambda (needs cargo-lambda from PyPI, installed here)
	$(VENV)/bin/pip --version >/dev/null 2>&1 || python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet cargo-lambda==1.9.2 ziglang
	PATH="$(abspath $(VENV))/bin:$$PATH" $(CARGO) lambda build --profile lambda --arm64

deploy: build ## deploy with SAM (needs the sam command and an account)
	sam deploy

$(WEB)/node_modules: $(WEB)/package-lock.json
	cd $(WEB) && npm ci
	touch $@

$(VENV)/bin/cfn-lint: infra/requirements.txt
	python3 -m venv $(VENV)
	$(VENV)/bin/pip install --quiet -r infra/requirements.txt
	touch $@
