#!/usr/bin/env bash
# Starts a Kubernetes API server for tests, prints the path of a kubeconfig for it, and stops it when standard input is
# closed. Exit code 69: this machine has nothing to start. It looks for, in this order:
#   the script envtest.sh of a folder `shared/cluster` beside the checkout, and kind with Docker.
# Environment: KUBERNETES_ENVTEST, the path of envtest.sh.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
state=$(mktemp -d "${TMPDIR:-/tmp}/gatehouse-test-kubernetes-XXXXXX")
stop=true
trap '$stop >/dev/null 2>&1 || true; rm -rf "$state"' EXIT

# Prints a port on which nothing listens, in the given range of ten thousand.
free_port() {
  local port
  while :; do
    port=$(($1 + RANDOM % 9999))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

envtest=${KUBERNETES_ENVTEST:-$here/../shared/cluster/envtest.sh}
if [ -f "$envtest" ]; then
  PORT=$(free_port 10000) ETCD_PORT=$(free_port 20000)
  export PORT ETCD_PORT ENVTEST_RUN="$state/run"
  stop="bash $envtest down"
  bash "$envtest" up
elif command -v kind >/dev/null 2>&1 && docker info >/dev/null 2>&1; then
  name="gatehouse-test-$$"
  stop="kind delete cluster --name $name"
  kind create cluster --name "$name" --kubeconfig "$state/kubeconfig" --wait 120s >&2
  echo "$state/kubeconfig"
else
  echo 'There is neither a script that starts an API server nor kind with Docker.' >&2
  exit 69
fi
cat >/dev/null
