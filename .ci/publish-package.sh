#!/usr/bin/env bash
# Publishes a package to npm with provenance: `.ci/publish-package.sh packages/verify`. npm signs in by the identity of the
# workflow (trusted publishing). If the version is there already, it must have the same content as the package of this commit.
#
#   GITHUB_SERVER_URL, GITHUB_REPOSITORY   the repository. npm compares it with the identity of the workflow
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
folder=${1:?"give the folder of the package, such as packages/verify"}
cd "$folder"

npm pkg set repository.type=git "repository.url=git+$GITHUB_SERVER_URL/$GITHUB_REPOSITORY.git" "repository.directory=$folder"
# field NAME: a field of package.json. `npm pkg get` answers in another form inside a workspace.
field() { sed -nE "s/^  \"$1\": \"(.*)\",$/\1/p" package.json; }
name=$(field name) version=$(field version)

if published=$(npm view "$name@$version" dist.shasum 2>/dev/null) && [ -n "$published" ]; then
  ours=$(npm pack --dry-run --json | sed -nE 's/^ *"shasum": "([0-9a-f]+)",?$/\1/p')
  if [ "$published" != "$ours" ]; then
    echo "publish: npm has $name $version with another content than this commit. Release under a new version." >&2
    exit 1
  fi
  echo "ok: npm has $name $version already"
  exit
fi

tag=latest
[[ $version = *-* ]] && tag=next
npm publish --provenance --access public --tag "$tag"
echo "ok: published $name $version as $tag"
