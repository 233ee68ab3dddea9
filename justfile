# `uv run just`, or `just` where it is installed: what one does here all the time.

_default:
    @just --list --unsorted

# Under 20 seconds: static checks of style, and the tests that start no CLI.
quick: _style
    uv run pytest -m unit -n auto

# Everything, in parallel; `just test tests/e2e/test_tools.py -n0` for a part of it.
test *arguments="-n auto":
    uv run pytest {{ arguments }}

# All static checks.
lint: _style
    uv run mypy cli proxy tests
    uv run lint-imports

_style:
    uv run ruff check
    uv run ruff format --check
    uv run codespell

# Format, and fix what can be fixed.
fmt:
    uv run ruff check --fix
    uv run ruff format

# The tests with coverage: of the unit tests themselves, and of each claude-max that the others fork.
coverage:
    rm -f .coverage .coverage.*
    uv run coverage run -m pytest -m unit -n auto
    CLAUDE_MAX_TESTS_COVERAGE=1 uv run pytest -n auto
    uv run coverage combine --quiet
    uv run coverage report

# Install other programs, set them up with connect and put them to work; then make docs/certified.md.
certified *arguments:
    uv run pytest -m certified tests/certified -n0 {{ arguments }}
    uv run python tests/readme_blocks.py --write

# Regenerate the blocks of the documents, the README's picture and the shell completions.
docs:
    uv run python tests/readme_blocks.py --write
    uv run python tests/dialect_table.py --write
    uv run python tests/picture.py --write
    uv run python tests/compatibility_table.py --write
    uv run python tests/bench/history.py --write
    uv run python -m claude_max.cli.completion

# The pictures of the page in docs, by the test that drives it. Needs Chromium.
screenshots:
    CLAUDE_MAX_SCREENSHOTS=docs uv run pytest tests/e2e/test_page.py -n0 -k fits

# The manual as a site in dist/site/site. `uvx` brings zensical, which is needed for nothing else.
site:
    uv run python tests/site_pages.py dist/site
    cd dist/site && uvx zensical==0.0.73 build --strict

# Compare with two other packages: 8 minutes of a machine that does nothing else. `just bench --json`, then `just docs`.
bench *arguments:
    uv run python tests/bench/run.py {{ arguments }}

# Show which pinned packages have a newer version; pins and lower bounds are edited by hand in pyproject.toml.
upgrade:
    uv pip list --outdated
