#!/usr/bin/env bash
# Finds or installs the tools that check the chart, and prints the folder of those that are not on the PATH:
# helm (3), helm4, kubeconform, promtool. What cannot be had is left out: .ci/check-chart.sh says so.
# CLUSTER_STARTER: a folder with bin.tar.xz, which has helm, kubeconform and kubectl. Default: ../shared/cluster.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
tools=${XDG_CACHE_HOME:-$HOME/.cache}/gatehouse/tools
starter=${CLUSTER_STARTER:-../shared/cluster}
mkdir -p "$tools"
export PATH=$PATH:$tools

has() { command -v "$1" >/dev/null 2>&1; }
lacks() { ! has "$1"; }

if [ -f "$starter/bin.tar.xz" ] && { lacks helm || lacks kubeconform; }; then
  tar xJf "$starter/bin.tar.xz" -C "$tools" helm kubeconform 2>/dev/null ||
    tar xJf "$starter/bin.tar.xz" -C "$tools" ./helm ./kubeconform
fi

# go_install PROGRAM PACKAGE@VERSION: builds it under another name if need be.
go_install() {
  lacks "$1" && has go || return 0
  local folder
  folder=$(mktemp -d)
  GOBIN=$folder GOFLAGS=-mod=mod go install "$2" && mv "$folder"/* "$tools/$1"
  rm -rf "$folder"
}
{
  go_install helm helm.sh/helm/v3/cmd/helm@v3.22.0
  go_install helm4 helm.sh/helm/v4/cmd/helm@v4.3.1
  go_install kubeconform github.com/yannh/kubeconform/cmd/kubeconform@v0.7.0
} >"$tools/go.log" 2>&1

# Only the program: the package would start a server.
if lacks promtool && has apt-get && has dpkg; then
  folder=$(mktemp -d)
  (cd "$folder" && chmod 755 . && { apt-get download -qq prometheus || { apt-get update -qq && apt-get download -qq prometheus; }; } &&
    dpkg -x prometheus_*.deb . && mv usr/bin/promtool "$tools/") >"$tools/apt.log" 2>&1
  rm -rf "$folder"
fi
echo "$tools"
