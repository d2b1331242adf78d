.DEFAULT_GOAL := help
.PHONY: help run test check soak bench clean lock

help:  ## say what there is
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' Makefile

run:  ## set up, then play the demo (PATCH=my.ng FILE=my.wav play yours)
	@sh scripts/setup run
	@sh scripts/models
	@PATCH='$(PATCH)' FILE='$(FILE)' sh scripts/run

test:  ## set up, then run every check and every test
	@sh scripts/setup test
	@sh scripts/models test
	@sh scripts/test

check:  ## lint, types, import rules, real-time lint
	@sh scripts/setup test
	@sh scripts/check

soak:  ## the long tests in their whole length: hours of sound, thousands of edits
	@sh scripts/setup test
	@sh scripts/models test
	@NODEGRAPH_SOAK=whole .venv/bin/python -m pytest -s tests/soak tests/editor/test_random_actions.py tests/editor/test_hard_days.py tests/validation/test_every_node.py tests/validation/test_every_other_node.py --timeout 7200

bench:  ## measure, beside Pure Data, scsynth, Csound and Faust where they are installed (ONLY=compare ROUNDS=5)
	@sh scripts/setup bench
	@.venv/bin/python -m bench $(ONLY) $(if $(ROUNDS),--rounds $(ROUNDS))

lock:  ## pin the packages anew (needs uv)
	@sh scripts/lock

clean:  ## remove what was made; the fetched models stay in the user's cache
	rm -rf .venv out build dist bench/work .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
