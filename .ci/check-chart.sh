#!/usr/bin/env bash
# Checks the chart without a cluster: lint and templates with every Helm, the API's schemas, the alerts' unit tests, and
# the tests of the templates. What a tool is missing for is left out, and said loudly.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
tools=$(bash .ci/chart-tools.sh)
export PATH=$PATH:$tools
chart=charts/gatehouse schemas=test/chart/schemas failed=0
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT

left_out() { echo "LEFT OUT of the check of the chart: $1"; }
fail() { echo "failed: $1" && failed=1; }

helms=()
for helm in helm helm4; do
  if command -v "$helm" >/dev/null; then helms+=("$helm"); else left_out "$helm is not here"; fi
done
[ ${#helms[@]} -gt 0 ] || { left_out "everything: install Helm"; exit 0; }

for helm in "${helms[@]}"; do
  echo "== $helm $("$helm" version --short)"
  for values in "$chart"/ci/*-values.yaml; do
    name=$(basename "$values" -values.yaml)
    "$helm" lint "$chart" --strict --quiet --kube-version 1.37.0 --values "$values" || fail "$helm lint with $values"
    # EKS publishes no schema of its TargetGroupBinding: that of the self-installed controller has the same fields.
    "$helm" template gatehouse "$chart" --kube-version 1.37.0 --values "$values" \
      --set targetGroupBinding.apiVersion=elbv2.k8s.aws/v1beta1 >"$out/$helm-$name.yaml" || fail "$helm template with $values"
  done
done

if command -v kubeconform >/dev/null; then
  kubeconform -summary -schema-location "$schemas/{{ .Group }}-{{ .ResourceAPIVersion }}-{{ .ResourceKind }}.json" \
    -schema-location "$schemas/{{ .ResourceAPIVersion }}-{{ .ResourceKind }}.json" "$out"/*.yaml || fail kubeconform
else left_out "kubeconform is not here, so no object was compared with the API's schemas"; fi

if command -v promtool >/dev/null; then
  promtool check rules "$chart/files/alerts.yaml" || fail "promtool check rules"
  promtool test rules test/chart/alerts.promtool.yaml || fail "promtool test rules"
else left_out "promtool is not here, so the alerts were not tested"; fi

HELM=${helms[0]} GATEHOUSE_TEST_SERVERS=none npm test --silent -- --verbose=false test/chart || fail "the tests of the templates"
exit "$failed"
