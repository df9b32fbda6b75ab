#!/usr/bin/env bash
# Builds the image of this commit once, pushes it to ECR, and prints its digest as the last line. If the version is there
# already, from an earlier attempt at the same commit, that image is taken. An image of another commit is an error.
#
#   REGISTRY    such as 111122223333.dkr.ecr.eu-central-1.amazonaws.com, with docker signed in to it
#   REPOSITORY  such as gatehouse/image
#   VERSION     the tag
#   REVISION    the commit
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
image=$REGISTRY/$REPOSITORY:$VERSION

# There is no image only if ECR says so. Another error, such as a missing right, must not lead to a second build.
if ! found=$(aws ecr describe-images --repository-name "$REPOSITORY" --image-ids "imageTag=$VERSION" 2>&1); then
  grep -q ImageNotFoundException <<<"$found" || { echo "$found" >&2 && exit 1; }
  IMAGE=$image REVISION=$REVISION TOOL=docker bash .ci/image.sh >&2
  docker push --quiet "$image" >&2
fi

digest=$(aws ecr describe-images --repository-name "$REPOSITORY" --image-ids "imageTag=$VERSION" --query 'imageDetails[0].imageDigest' --output text)
docker pull --quiet "$REGISTRY/$REPOSITORY@$digest" >&2
label=$(docker inspect --format '{{index .Config.Labels "org.opencontainers.image.revision"}}' "$REGISTRY/$REPOSITORY@$digest")
if [ "$label" != "$REVISION" ]; then
  echo "push: $image was built from $label, not from $REVISION. A version names one image: release under a new version." >&2
  exit 1
fi
echo "$digest"
