#!/usr/bin/env bash
# Builds the image of the Dockerfile with the tool that is there, and says which: docker, podman or buildah.
#
#   .ci/image.sh [OPTION...]      the options go to the build, for example --platform linux/arm64 or --no-cache
#
# Environment:
#   IMAGE      name and tag (default: gatehouse, with the version of package.json)
#   ARCHIVE    a file that the image is written to as well, as a docker archive
#   SOURCE     the address of the repository, for the labels (default: that of the GitHub workflow)
#   REVISION   the commit, for the labels (default: the one that is checked out)
#   NPMRC      an .npmrc for a private registry. It is not in the image
#   TOOL       docker, podman or buildah (default: the first that works)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

works() {
  case $1 in
    docker) docker info >/dev/null 2>&1 ;;
    *) command -v "$1" >/dev/null 2>&1 ;;
  esac
}

find_tool() {
  local tool
  for tool in docker podman buildah; do
    if works "$tool"; then
      echo "$tool"
      return
    fi
  done
  echo 'image: docker, podman or buildah is needed to build the image; none was found.' >&2
  exit 1
}

tool=${TOOL:-$(find_tool)}
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' package.json)
image=${IMAGE:-gatehouse:$version}
revision=${REVISION:-$(git rev-parse HEAD 2>/dev/null || echo unknown)}
source=${SOURCE:-${GITHUB_REPOSITORY:+$GITHUB_SERVER_URL/$GITHUB_REPOSITORY}}
created=$(TZ=UTC0 git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null || date -u +%Y-%m-%dT%H:%M:%SZ)

arguments=(--build-arg "VERSION=$version" --build-arg "REVISION=$revision" --build-arg "CREATED=$created")
arguments+=(--build-arg "SOURCE=${source:-unknown}" --tag "$image")
if [ -n "${NPMRC:-}" ]; then arguments+=(--secret "id=npmrc,src=$NPMRC"); fi

echo "== $tool builds $image"
case $tool in
  docker) docker buildx build --load --progress plain "${arguments[@]}" "$@" . ;;
  podman) podman build --format docker "${arguments[@]}" "$@" . ;;
  # In a chroot the steps need neither control groups nor user namespaces, so this also works inside a container.
  buildah) BUILDAH_ISOLATION=${BUILDAH_ISOLATION:-chroot} buildah build --layers --format docker "${arguments[@]}" "$@" . ;;
esac

# The build has checked the inside. This is how an orchestrator starts it: read-only, without rights.
if [ "$tool" != buildah ]; then
  "$tool" run --rm --read-only --cap-drop ALL --security-opt no-new-privileges --network none "$image" version
fi

if [ -n "${ARCHIVE:-}" ]; then
  rm -f "$ARCHIVE"
  case $tool in
    docker) docker save --output "$ARCHIVE" "$image" ;;
    podman) podman save --quiet --format docker-archive --output "$ARCHIVE" "$image" ;;
    buildah) buildah push --quiet "$image" "docker-archive:$ARCHIVE:$image" ;;
  esac
  echo "== $ARCHIVE has $image"
fi
