#!/usr/bin/env bash
# Checks the workflows of GitHub Actions: actionlint reads them as GitHub does, shellcheck reads their scripts and those of
# .ci, zizmor looks for weaknesses, and tests check our own rules. What a tool is missing for is left out, and said loudly.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
tools=${XDG_CACHE_HOME:-$HOME/.cache}/gatehouse/tools failed=0
actionlint_version=1.7.12 zizmor_version=1.32.0
mkdir -p "$tools"
export PATH=$PATH:$tools:$tools/zizmor/bin

has() { command -v "$1" >/dev/null 2>&1; }
left_out() { echo "LEFT OUT of the check of the workflows: $1"; }
fail() { echo "failed: $1" && failed=1; }

if ! has actionlint && has go; then
  GOBIN=$tools GOFLAGS=-mod=mod go install "github.com/rhysd/actionlint/cmd/actionlint@v$actionlint_version" >"$tools/actionlint.log" 2>&1
fi
if ! has zizmor && has python3; then
  { python3 -m venv "$tools/zizmor" && "$tools/zizmor/bin/pip" install --quiet "zizmor==$zizmor_version"; } >"$tools/zizmor.log" 2>&1
fi

if has actionlint; then actionlint || fail actionlint; else left_out "actionlint is not here, and Go could not install it"; fi
if has shellcheck; then
  shellcheck .ci/*.sh .ci/run test/conformance/run.sh || fail "shellcheck of .ci and test/conformance"
else left_out "shellcheck is not here, so neither .ci nor the scripts in the workflows were read by it"; fi
if has zizmor; then zizmor --offline --quiet --no-progress . || fail zizmor; else left_out "zizmor is not here, and Python could not install it"; fi

GATEHOUSE_TEST_SERVERS=none npm test --silent -- --verbose=false test/pipelines || fail "the tests of the workflows"
exit "$failed"
