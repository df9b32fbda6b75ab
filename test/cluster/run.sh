#!/usr/bin/env bash
# Runs parts on a cluster: `test` (make cluster-test), `rehearsal` (make deploy-rehearsal), or both, one after the other. Uses
# the cluster of KUBECONFIG. Without one, starts that of CLUSTER_STARTER (a folder with up.sh, down.sh and image.sh; default
# ../shared/cluster beside the checkout) and ends it at the end. README.md says what the cluster must have.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
starter=${CLUSTER_STARTER:-../shared/cluster}
archives=${IMAGE_ARCHIVES:-artifacts/images}
parts=("${@:-test}")

has_part() { [[ " ${parts[*]} " == *" $1 "* ]]; }
images=(gatehouse postgres redis) forwards=()
if has_part test; then forwards+=('18080=30080'); fi
if has_part rehearsal; then images+=(moto) forwards+=('18081=30081' '15000=30500'); fi

# Makes the archives of the images, unless IMAGE_ARCHIVES names a folder that has them.
make_images() {
  local options
  [ -z "${IMAGE_ARCHIVES:-}" ] || return 0
  mkdir -p "$archives"
  options=$(bash test/cluster/stand-ins.sh bases)
  # shellcheck disable=SC2086 # one word for each option
  IMAGE=docker.io/library/gatehouse:dev ARCHIVE=$archives/gatehouse.tar TOOL=buildah bash .ci/image.sh $options
  if [ ! -f "$archives/postgres.tar" ] || [ ! -f "$archives/redis.tar" ]; then bash test/cluster/stand-ins.sh stores "$archives"; fi
  if has_part rehearsal && [ ! -f "$archives/moto.tar" ]; then bash test/cluster/stand-ins.sh moto "$archives"; fi
}

if [ -z "${KUBECONFIG:-}" ]; then
  [ -x "$starter/up.sh" ] || { echo "Set KUBECONFIG to a cluster of your own, or CLUSTER_STARTER." >&2; exit 1; }
  make_images
  trap '"$starter/down.sh"' EXIT
  KUBECONFIG=$(FORWARD="${forwards[*]}" "$starter/up.sh")
  export KUBECONFIG
  home=${KUBE_HOME:-${XDG_CACHE_HOME:-$HOME/.cache}/kube-node}
  export PATH=$home/bin:$PATH
  for image in "${images[@]}"; do
    "$starter/image.sh" --import "$archives/$image.tar"
  done
  # The new version of the test: the same program under another name.
  ctr -a "${KUBE_RUN:-$home/run}/containerd.sock" -n k8s.io images tag --force docker.io/library/gatehouse:dev docker.io/library/gatehouse:next >/dev/null
fi

# Each part runs, also after one that failed.
status=0
for part in "${parts[@]}"; do
  case $part in
    test) run=(node --import tsx test/cluster/main.ts) ;;
    rehearsal) run=(bash test/rehearsal/run.sh) ;;
    *) echo "There is no part '$part': say test or rehearsal." >&2 && exit 64 ;;
  esac
  if "${run[@]}"; then echo "ok: $part on the cluster"; else status=1 && echo "failed: $part on the cluster"; fi
done
exit "$status"
