#!/usr/bin/env bash
# Checks that this commit may be released under a tag: `.ci/check-release.sh v1.2.3`. The tag, package.json, the packages and the
# chart have the same version, and CHANGELOG.md has a section for it with a date. Lists all problems at once.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
tag=${1:?"give the tag, such as v1.2.3"}
version=${tag#v}
failed=0

problem() { echo "release: $1" >&2 && failed=1; }
# field FILE EXPRESSION: what the first group of the expression matches.
field() { sed -nE "s/^$2\$/\1/p" "$1" | head -n 1; }
must_be() { [ "$2" = "$version" ] || problem "$1 has the version '$2', but the tag is '$tag'. Change one of them."; }

[[ $tag =~ ^v(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}(-[0-9A-Za-z.-]+)?$ ]] || problem "the tag '$tag' must be v and a version, such as v1.2.3."
must_be package.json "$(field package.json '  "version": "(.*)",')"
must_be packages/verify/package.json "$(field packages/verify/package.json '  "version": "(.*)",')"
must_be 'charts/gatehouse/Chart.yaml (version)' "$(field charts/gatehouse/Chart.yaml 'version: (.*)')"
must_be 'charts/gatehouse/Chart.yaml (appVersion)' "$(field charts/gatehouse/Chart.yaml 'appVersion: (.*)')"

date=$(awk -v version="$version" '$1 == "##" && $2 == version { print $3; exit }' CHANGELOG.md)
[[ $date =~ ^\([0-9]{4}-[0-9]{2}-[0-9]{2}\)$ ]] ||
  problem "CHANGELOG.md must have the heading '## $version (YYYY-MM-DD)'; after the version it has '$date'."
lines=$(awk -v version="$version" '$1 == "##" { inside = $2 == version } inside && /^- / { lines++ } END { print lines + 0 }' CHANGELOG.md)
[ "$lines" -gt 0 ] || problem "CHANGELOG.md must say under '## $version' what changed."
[ "$failed" = 0 ] && echo "ok: $tag may be released"
