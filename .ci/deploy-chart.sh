#!/usr/bin/env bash
# Installs a release from ECR with Helm, by the digest of its image, after its signatures were verified. If the pods do not
# become ready, if `helm test` fails, or if `gatehouse doctor` finds a problem, the release before comes back.
#
#   .ci/deploy-chart.sh VALUES...   files with values, later ones win
#
#   REGISTRY, NAME                  the registry, and the beginning of its repositories, such as gatehouse
#   VERSION                         the release, such as 1.2.3
#   REPOSITORY_URL                  whose workflow signed it, such as https://github.com/OWNER/NAME
#   NAMESPACE, RELEASE, ISSUER      where it runs, and its public address
#   DOCTOR                          the program of Gatehouse (default: gatehouse)
set -euo pipefail
[[ $VERSION =~ ^[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?$ ]] || { echo "deploy: '$VERSION' is no version, such as 1.2.3." >&2 && exit 1; }
[ "$#" -gt 0 ] || { echo 'deploy: name at least one file with values.' >&2 && exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
values=()
for file in "$@"; do values+=(--values "$file"); done

# Prints the digest of this version in a repository, after it found the signature of the release.
verified_digest() {
  local digest
  # `set -e` does not count inside $(…), so each step says itself that it failed.
  digest=$(aws ecr describe-images --repository-name "$1" --image-ids "imageTag=$VERSION" --query 'imageDetails[0].imageDigest' --output text) || return 1
  cosign verify --certificate-oidc-issuer https://token.actions.githubusercontent.com \
    --certificate-identity "$REPOSITORY_URL/.github/workflows/release.yml@refs/tags/v$VERSION" "$REGISTRY/$1@$digest" >/dev/null || return 1
  echo "$digest"
}
image=$(verified_digest "$NAME/image")
chart=$(verified_digest "$NAME/charts/gatehouse")
echo "== $VERSION: image $image, chart $chart, both signed by the release"
# A tag in this registry is immutable, so this is the chart whose signature was verified.
helm pull "oci://$REGISTRY/$NAME/charts/gatehouse" --version "$VERSION" --destination "$work"

# An error, such as a missing right, must not look like a first installation. The newest revision can be one that failed, so
# the one that runs is looked up in the history.
before='' releases=$(helm list --all --namespace "$NAMESPACE" --filter "^$RELEASE\$" --output json)
if [ "$(jq length <<<"$releases")" != 0 ]; then
  history=$(helm history "$RELEASE" --namespace "$NAMESPACE" --output json)
  before=$(jq -r 'map(select(.status == "deployed"))[-1].revision // empty' <<<"$history")
fi
echo "== before: ${before:-no release}"
helm upgrade "$RELEASE" "$work/gatehouse-$VERSION.tgz" --install --namespace "$NAMESPACE" "${values[@]}" \
  --set-string "image.digest=$image" --atomic --timeout 15m

check() {
  helm test "$RELEASE" --namespace "$NAMESPACE" --timeout 5m && "${DOCTOR:-gatehouse}" doctor --issuer "$ISSUER"
}
if check; then
  echo "ok: $VERSION runs at $ISSUER"
  exit 0
fi
if [ -n "$before" ]; then
  helm rollback "$RELEASE" "$before" --namespace "$NAMESPACE" --wait --timeout 15m
  echo "deploy: $VERSION is installed but does not work, so revision $before is back." >&2
else
  echo "deploy: $VERSION is installed but does not work. There is no release before it to go back to." >&2
fi
exit 1
