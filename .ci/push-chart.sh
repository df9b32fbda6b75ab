#!/usr/bin/env bash
# Packages the chart, pushes it to ECR with Helm, and prints its digest as the last line. If the version is there already, it
# must have the same files as the chart of this commit.
#
#   REGISTRY  such as 111122223333.dkr.ecr.eu-central-1.amazonaws.com, with Helm signed in to it
#   PREFIX    the repository without the name of the chart, such as gatehouse/charts
#   VERSION   the version of the chart
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
repository=$PREFIX/gatehouse

helm package charts/gatehouse --destination "$work" >&2
if ! found=$(aws ecr describe-images --repository-name "$repository" --image-ids "imageTag=$VERSION" 2>&1); then
  grep -q ImageNotFoundException <<<"$found" || { echo "$found" >&2 && exit 1; }
  helm push "$work/gatehouse-$VERSION.tgz" "oci://$REGISTRY/$PREFIX" >&2
fi

mkdir "$work/local" "$work/pushed"
tar xzf "$work/gatehouse-$VERSION.tgz" -C "$work/local"
helm pull "oci://$REGISTRY/$repository" --version "$VERSION" --untar --untardir "$work/pushed" >&2
if ! diff -r "$work/local" "$work/pushed" >&2; then
  echo "push: the chart $VERSION in $REGISTRY has other files than this commit. Release under a new version." >&2
  exit 1
fi
aws ecr describe-images --repository-name "$repository" --image-ids "imageTag=$VERSION" --query 'imageDetails[0].imageDigest' --output text
