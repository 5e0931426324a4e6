# Countersign. `make help` lists what can be made. Works with GNU make 3.81 and newer.

# Build results stay outside the checkout; set CARGO_TARGET_DIR to put them elsewhere.
CACHE := $(if $(XDG_CACHE_HOME),$(XDG_CACHE_HOME),$(HOME)/.cache)/countersign
export CARGO_TARGET_DIR ?= $(CACHE)/target
# A fresh directory for each demonstration; set DEMO_DIR to choose it. Asked for the time once only.
ifndef DEMO_DIR
DEMO_DIR := $(CACHE)/demo/$(shell date -u +%Y%m%dT%H%M%SZ)
endif
# A fresh Rust whose shell profile has not been read yet.
export PATH := $(PATH):$(HOME)/.cargo/bin

# Minutes that each suite may take on two cores. The build has its own, since a first one compiles the typesetter.
BUILD_MINUTES := 40
TEST_MINUTES := 34
PAGES_MINUTES := 8
CHECK_MINUTES := 10

# Where a window can open: on a display, and always on macOS and Windows.
ifneq (,$(DISPLAY)$(WAYLAND_DISPLAY)$(filter Darwin MINGW% MSYS%,$(shell uname -s)))
HAS_DISPLAY := yes
endif

# The pages are built anew when one of their sources is newer than the last build, or when there is none.
UI_SOURCES := $(shell find ui -type d \( -name node_modules -o -name 'dist*' -o -name shots \) -prune -o -type f -print 2>/dev/null)
UI_BUILT := ui/node_modules/.built
ifeq (,$(wildcard ui/dist/assets))
$(shell rm -f $(UI_BUILT))
endif

.PHONY: help run demo app pages test bench shots check fmt clippy tidy pages-check deny
help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1\t\2/p' Makefile | expand -t 14

ifdef HAS_DISPLAY
run: pages ## open the window on a sample ledger; without a display, what `make demo` does
	@cargo build --locked --workspace --all-targets
	@"$(CARGO_TARGET_DIR)/debug/countersign-desktop" --sample
else
run: demo
endif

app: pages ## the release build of window and command line, the pages inside; prints where they are
	@cargo build --locked --release --package countersign-desktop --package countersign-cli
	@printf '\nwindow        %s\ncommand line  %s\n' "$(CARGO_TARGET_DIR)/release/countersign-desktop" "$(CARGO_TARGET_DIR)/release/countersign"

pages: $(UI_BUILT) # what the window shows
$(UI_BUILT): ui/node_modules/.package-lock.json $(UI_SOURCES)
	@npm --prefix ui run --silent build
	@touch $@
ui/node_modules/.package-lock.json: ui/package-lock.json
	@sh scripts/setup run
	@npm --prefix ui ci --no-audit --no-fund
	@touch $@

demo: ## walk a whole release in a sample ledger; prints each step and where report and bundle are
	@sh scripts/setup run
	@cargo build --locked --workspace --all-targets
	@mkdir -p "$(DEMO_DIR)"
	@"$(CARGO_TARGET_DIR)/debug/countersign" demo --dir "$(DEMO_DIR)"
	@for file in report.pdf bundle.zip fingerprint.txt ledger; do \
	    test -e "$(DEMO_DIR)/$$file" || { echo "run: the demonstration left no $$file in $(DEMO_DIR)" >&2; exit 1; }; \
	done
	@printf '\nreport       %s\nbundle       %s\nfingerprint  %s\nledger       %s\n' "$(DEMO_DIR)/report.pdf" \
	    "$(DEMO_DIR)/bundle.zip" "$$(cat "$(DEMO_DIR)/fingerprint.txt")" "$(DEMO_DIR)/ledger"

test: pages ## run every test; the last line is the count
	@sh scripts/setup test
	@if [ -n "$$CHROMIUM" ] || [ -x /usr/bin/chromium ] || [ -x /usr/bin/google-chrome ]; then \
	    bash scripts/suite pages $(PAGES_MINUTES) npm --prefix ui test; \
	else \
	    echo "pages: no Chromium here, their tests are SKIPPED; set CHROMIUM to the program of one" >&2; [ -z "$$CI" ]; \
	fi
	@bash scripts/suite build $(BUILD_MINUTES) cargo build --locked --workspace --all-targets
	@bash scripts/suite test $(TEST_MINUTES) cargo test --locked --workspace --no-fail-fast

bench: pages ## how fast and how large the window is, beside a bare page in the same engine
	@sh scripts/setup test
	@cargo build --locked --release --package countersign-desktop --package countersign-cli
	@cargo bench --locked --package countersign-tests --profile release --bench desktop

shots: ui/node_modules/.package-lock.json ## a picture of every screen, light and dark, in two sizes, into ui/shots
	@npm --prefix ui run --silent shots

check: pages ## formatting, lints and house rules
	@sh scripts/setup run
	@bash scripts/suite check $(CHECK_MINUTES) $(MAKE) --no-print-directory fmt clippy tidy pages-check

fmt:
	cargo fmt --all --check

clippy:
	cargo clippy --locked --workspace --all-targets -- -D warnings

pages-check: pages # types, lints and form of the pages
	npm --prefix ui run --silent check

tidy: # house rules alone, as part of check
	cargo test --locked --workspace --test it -- tidy::

deny: ## licenses, bans and sources with cargo-deny (the tidy tests check the same list without it)
	@command -v cargo-deny >/dev/null || { echo "deny: cargo-deny is missing; cargo install --locked cargo-deny" >&2; exit 1; }
	cargo deny --locked check licenses bans sources
