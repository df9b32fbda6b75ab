#!/usr/bin/env bash
# `make cluster-test`. Uses the cluster of KUBECONFIG. Without one, starts that of CLUSTER_STARTER (a folder with up.sh,
# down.sh and image.sh; default ../shared/cluster beside the checkout) and ends it at the end. README.md says what the
# cluster must have.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
starter=${CLUSTER_STARTER:-../shared/cluster}
archives=${IMAGE_ARCHIVES:-artifacts/images}

# Makes the archives of the images, unless IMAGE_ARCHIVES names a folder that has them.
make_images() {
  local options
  [ -z "${IMAGE_ARCHIVES:-}" ] || return 0
  mkdir -p "$archives"
  options=$(bash test/cluster/stand-ins.sh bases)
  # shellcheck disable=SC2086 # one word for each option
  IMAGE=docker.io/library/gatehouse:dev ARCHIVE=$archives/gatehouse.tar TOOL=buildah bash .ci/image.sh $options
  if [ ! -f "$archives/postgres.tar" ] || [ ! -f "$archives/redis.tar" ]; then bash test/cluster/stand-ins.sh stores "$archives"; fi
}

if [ -z "${KUBECONFIG:-}" ]; then
  [ -x "$starter/up.sh" ] || { echo "Set KUBECONFIG to a cluster of your own, or CLUSTER_STARTER." >&2; exit 1; }
  make_images
  trap '"$starter/down.sh"' EXIT
  KUBECONFIG=$(FORWARD="18080=30080" "$starter/up.sh")
  export KUBECONFIG
  home=${KUBE_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/kube-node}
  export PATH=$home/bin:$PATH
  for store in gatehouse postgres redis; do
    "$starter/image.sh" --import "$archives/$store.tar"
  done
  # The new version of the test: the same program under another name.
  ctr -a "${KUBE_RUN:-$home/run}/containerd.sock" -n k8s.io images tag --force docker.io/library/gatehouse:dev docker.io/library/gatehouse:next >/dev/null
fi
node --import tsx test/cluster/main.ts
