#!/usr/bin/env bash
# Plans a root on one machine, and applies exactly this plan on another. Plans are kept in the bucket of the state, because a
# plan holds state in clear text, and everyone who may read a repository may read its artifacts.
#
#   .ci/terraform.sh plan ROOT                          plans, and prints commit and SHA-256 of the plan
#   .ci/terraform.sh apply ROOT COMMIT SHA256 PLANNED   applies this plan. PLANNED: a checkout of COMMIT
#   .ci/terraform.sh output ROOT OUTPUT                 prints an output, and nothing else
#
#   STATE_BUCKET, AWS_REGION   where state and plans are
#   NAME                       the beginning of the keys of the states (default: gatehouse)
#   TFVARS                     the content of terraform.tfvars, for plan
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
action=${1:?"say plan, apply or output"} root=${2:?"name the root"}
[[ $root =~ ^(platform|fargate|edge)$ ]] || { echo "terraform: there is no root '$root'; there are platform, fargate and edge." >&2 && exit 1; }
plan=$(mktemp)
trap 'rm -f "$plan"' EXIT

in_root() { terraform -chdir="terraform/$root" "$@"; }
init() {
  in_root init -input=false -backend-config="bucket=$STATE_BUCKET" -backend-config="key=${NAME:-gatehouse}/$root.tfstate" \
    -backend-config="region=$AWS_REGION"
}
address() { echo "s3://$STATE_BUCKET/plans/$root/$1/$2.tfplan"; }
refuse() { echo "terraform: $1" >&2 && exit 1; }

case $action in
  plan)
    [ -n "${TFVARS:-}" ] || refuse "there are no values for $root: set the variable TFVARS_${root^^} of the repository."
    printf '%s\n' "$TFVARS" >"terraform/$root/terraform.tfvars"
    init
    in_root plan -input=false -no-color -lock-timeout=5m -out="$plan"
    commit=$(git rev-parse HEAD) hash=$(sha256sum "$plan" | cut -d ' ' -f 1)
    aws s3 cp --only-show-errors "$plan" "$(address "$commit" "$hash")"
    echo "plan of $root: commit $commit, SHA-256 $hash"
    ;;
  apply)
    commit=${3:-} hash=${4:-} planned=${5:-}
    [[ $commit =~ ^[0-9a-f]{40}$ ]] || refuse "the commit of the plan must have 40 digits: '$commit'."
    [[ $hash =~ ^[0-9a-f]{64}$ ]] || refuse "the SHA-256 of the plan must have 64 digits: '$hash'."
    [ "$(git -C "$planned" rev-parse HEAD)" = "$commit" ] || refuse "$planned is not a checkout of $commit."
    # The merge has a commit of its own. What counts is that the files are those that were planned and reviewed.
    [ "$(git -C "$planned" rev-parse HEAD:terraform)" = "$(git rev-parse HEAD:terraform)" ] ||
      refuse "terraform/ is not what was planned at $commit. Bring the pull request up to date, and use its new plan."
    aws s3 cp --only-show-errors "$(address "$commit" "$hash")" "$plan"
    echo "$hash  $plan" | sha256sum --check --quiet || refuse "the plan in the bucket is not the one with this SHA-256."
    init
    # Terraform itself refuses a plan if the state has changed since.
    in_root apply -input=false -no-color -lock-timeout=5m "$plan"
    ;;
  output)
    init >&2
    in_root output -raw "${3:?"name the output"}"
    ;;
  *) refuse "say plan, apply or output, not '$action'." ;;
esac
