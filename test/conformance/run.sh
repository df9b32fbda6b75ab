#!/usr/bin/env bash
# Starts the OpenID conformance suite with docker, runs all plans against Gatehouse, and stops the suite. Arguments go to
# run.ts: names of plans, and module=NAME. Reports and the log of Gatehouse are in artifacts/conformance.
#
# With SUITE_ADDRESS, such as http://127.0.0.1:8080, it uses a suite that runs already, and needs no docker. That suite must
# have the base URL https://localhost:8443, and run in its dev mode.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
mkdir -p artifacts/conformance

compose() { docker compose --file test/conformance/compose.yaml "$@"; }

if [ -z "${SUITE_ADDRESS:-}" ]; then
  export SUITE_ADDRESS=http://127.0.0.1:8080
  stop() {
    compose logs --no-color suite >artifacts/conformance/suite.log 2>&1 || true
    compose down --volumes >/dev/null 2>&1 || true
  }
  trap stop EXIT
  compose up --detach --quiet-pull
fi
node --import tsx test/conformance/run.ts "$@"
