#!/usr/bin/env bash
# Builds the stand-in for the AWS provider in ../shared/terraform-check beside the checkout, and prints the path of a Terraform CLI
# configuration that uses it. It knows the schema of the provider only. Prints nothing where there is none.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
checkout=$(git rev-parse --path-format=absolute --git-common-dir 2>/dev/null || true)
for folder in ../../shared/terraform-check "${checkout%/.git}/../shared/terraform-check"; do
  [ -f "$folder/provider.sh" ] || continue
  if ! grep -q sesv2_ "$folder/want.txt"; then
    # Its list of wanted resource types lacks those of SES. A copy gets them.
    copy=$(mktemp -d)
    trap 'rm -rf "$copy"' EXIT
    cp "$folder"/* "$copy/"
    sed 's/|sqs_|/|sqs_|sesv2_|/' "$folder/want.txt" >"$copy/wanted" && mv -f "$copy/wanted" "$copy/want.txt"
    folder=$copy
  fi
  bash "$folder/provider.sh"
  exit
done
