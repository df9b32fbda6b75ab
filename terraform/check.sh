#!/usr/bin/env bash
# Checks all Terraform files: format, validation, tests, pages, tflint and checkov. Prints `ok: <step>` for each step that is through,
# `LEFT OUT: …` with the reason where a program is missing, and what a check found. Ends with 1 if a check found something.
#
#   terraform/check.sh               all
#   terraform/check.sh --fast        without tflint and checkov
#   terraform/check.sh --mutations   tries wrong values too, which takes some minutes
#
# The AWS provider comes from, in this order: TF_CLI_CONFIG_FILE, the stand-in in ../shared/terraform-check beside the checkout
# (it knows the schema only), or the registry. tflint and checkov are taken from the PATH, or installed into a cache if Go and Python
# can do it.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")" || exit 1
roots=(platform fargate edge)
cache="${XDG_CACHE_HOME:-$HOME/.cache}/gatehouse-terraform"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
failed=0

has() { command -v "$1" >/dev/null 2>&1; }
left_out() { echo "LEFT OUT: terraform: $1: $2"; }

# Runs a step. Shows what it wrote only when it failed.
step() {
  local name=$1
  shift
  if "$@" >"$log" 2>&1; then echo "ok: terraform-$name"; else
    echo "failed: terraform-$name"
    grep -v '^$' "$log" | head -n 80
    failed=1
  fi
}

# Prints a Terraform CLI configuration for the provider, or nothing if the registry is to be used.
provider_configuration() {
  if [ -n "${TF_CLI_CONFIG_FILE:-}" ] && [ -s "$TF_CLI_CONFIG_FILE" ]; then
    echo "$TF_CLI_CONFIG_FILE"
    return
  fi
  ./stand-in.sh 2>/dev/null
}

# Without a stand-in, the real provider is installed. Fails if the registry can't be reached.
initialize() {
  if [ -n "${TF_CLI_CONFIG_FILE:-}" ] && grep -q dev_overrides "$TF_CLI_CONFIG_FILE"; then terraform -chdir="$1" get -no-color; else
    terraform -chdir="$1" init -backend=false -input=false -no-color
  fi
}
validate() { terraform -chdir="$1" validate -no-color; }
run_tests() { terraform -chdir="$1" test -no-color; }
# The example of each root must be accepted, so that a copy of it is a good beginning.
plan_example() {
  local copy status
  copy=$(mktemp -d)
  cp -r modules "$1" "$copy/" && mkdir "$copy/$1/example"
  { sed '/^variables {/,$d' "$1/tests/$1.tftest.hcl"; echo 'run "example" { command = plan }'; } >"$copy/$1/example/example.tftest.hcl"
  terraform -chdir="$copy/$1" get -test-directory=example >/dev/null &&
    terraform -chdir="$copy/$1" test -no-color -test-directory=example -var-file=example.tfvars
  status=$?
  rm -rf "$copy"
  return "$status"
}
# A root reads its modules itself, and each module is checked alone too.
lint() { for folder in "${roots[@]}" modules/*; do "$1" --config="$PWD/.tflint.hcl" --chdir="$folder" --call-module-type=none || return 1; done; }
scan() { "$1" --skip-download --quiet --compact --framework terraform --directory .; }

find_tflint() {
  has tflint && command -v tflint && return
  [ -x "$cache/bin/tflint" ] || { has go && GOBIN="$cache/bin" go install github.com/terraform-linters/tflint@v0.64.0 >/dev/null 2>&1; }
  [ -x "$cache/bin/tflint" ] && echo "$cache/bin/tflint"
}
find_checkov() {
  has checkov && command -v checkov && return
  [ -x "$cache/python/bin/checkov" ] || {
    has python3 && python3 -m venv "$cache/python" && "$cache/python/bin/pip" install --quiet checkov==3.3.30
  } >/dev/null 2>&1
  [ -x "$cache/python/bin/checkov" ] && echo "$cache/python/bin/checkov"
}

if ! has terraform; then
  left_out terraform 'the program terraform is not here: nothing was formatted, validated or tested'
  step pages node docs.mjs --check
  exit "$failed"
fi

configuration=$(provider_configuration)
if [ -n "$configuration" ]; then export TF_CLI_CONFIG_FILE="$configuration"; else unset TF_CLI_CONFIG_FILE; fi
step format terraform fmt -check -diff -recursive
for root in "${roots[@]}"; do
  if ! initialize "$root" >"$log" 2>&1; then
    left_out "$root" 'the AWS provider could not be had: neither a stand-in nor the registry'
    grep -A 6 '^Error' "$log" | grep -v '^$' | head -n 5
    continue
  fi
  step "validate-$root" validate "$root"
  step "test-$root" run_tests "$root"
  step "example-$root" plan_example "$root"
done
if [ -n "$configuration" ] && grep -q dev_overrides "$configuration"; then
  left_out 'checks of the AWS provider itself' "a stand-in with its schema was used; docs/terraform.md says what it does not show"
  step pages node docs.mjs --check --graphs
else
  step pages node docs.mjs --check
  left_out graphs 'they are compared only where the provider needs no init'
fi

if [ "${1:-}" = --mutations ]; then step mutations node mutations.mjs; fi
if [ "${1:-}" != --fast ]; then
  tflint=$(find_tflint)
  if [ -n "$tflint" ]; then step tflint lint "$tflint"; else left_out tflint 'it is not here, and Go could not install it'; fi
  checkov=$(find_checkov)
  if [ -n "$checkov" ]; then step checkov scan "$checkov"; else left_out checkov 'it is not here, and Python could not install it'; fi
fi
exit "$failed"
