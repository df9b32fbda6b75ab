#!/usr/bin/env bash
# Prepares the rehearsal of docs/deploy.md and starts it. Needs KUBECONFIG, Linux and root: it has a mount namespace of its
# own, in which the names of the page lead to addresses of the loopback. No file of the machine is changed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
root=$PWD

if [ -z "${REHEARSAL_FOLDER:-}" ]; then
  for program in terraform kubectl jq curl openssl unshare; do
    command -v "$program" >/dev/null || { echo "rehearsal: $program is needed." >&2; exit 1; }
  done
  REHEARSAL_FOLDER=$(mktemp -d)
  export REHEARSAL_FOLDER
  trap 'rm -rf "$REHEARSAL_FOLDER"' EXIT
  unshare --mount timeout --foreground --signal=INT --kill-after=60 "${REHEARSAL_SECONDS:-900}" bash "$root/test/rehearsal/run.sh"
  exit
fi

work=$REHEARSAL_FOLDER
cp /etc/hosts "$work/hosts.before"
cp /etc/hosts "$work/hosts"
mount --bind "$work/hosts" /etc/hosts

# The commands of the page write files into the checkout, so they get a copy.
mkdir "$work/checkout"
git ls-files -z --cached --others --exclude-standard -- charts terraform package.json | xargs -0 cp --parents -t "$work/checkout"
node --import tsx test/rehearsal/certificates.ts "$work"
cat /etc/ssl/certs/ca-certificates.crt "$work/ca.pem" >"$work/authorities.pem"
export NODE_EXTRA_CA_CERTS=$work/ca.pem SSL_CERT_FILE=$work/authorities.pem CURL_CA_BUNDLE=$work/authorities.pem
export NO_PROXY='*' no_proxy='*'

# The AWS CLI, of this machine or installed into artifacts/.
if ! command -v aws >/dev/null; then
  python=$(node --import tsx --input-type=module -e "import { pythonWith } from './test/support/python.ts'; console.log(await pythonWith(['awscli==1.45.11']))")
  PATH=$PATH:$(dirname "$python")
fi
export AWS_ENDPOINT_URL=http://127.0.0.1:15000 AWS_REGION=eu-central-1 AWS_DEFAULT_REGION=eu-central-1
export AWS_ACCESS_KEY_ID=testing AWS_SECRET_ACCESS_KEY=testing AWS_EC2_METADATA_DISABLED=true AWS_PAGER=''

# The schema of the AWS provider: a configuration that is given, a stand-in where there is one, or else the registry.
if [ ! -s "${TF_CLI_CONFIG_FILE:-}" ]; then
  unset TF_CLI_CONFIG_FILE
  TF_CLI_CONFIG_FILE=$("$root/terraform/stand-in.sh")
  if [ -n "$TF_CLI_CONFIG_FILE" ]; then export TF_CLI_CONFIG_FILE; else unset TF_CLI_CONFIG_FILE; fi
fi

REAL_TERRAFORM=$(command -v terraform) REAL_HELM=$(command -v "${HELM:-helm}")
export REAL_TERRAFORM REAL_HELM REHEARSAL_SOURCES=$root/test/rehearsal
REHEARSAL_TSX=$(node -p 'require("node:url").pathToFileURL(require.resolve("tsx")).href')
export REHEARSAL_TSX
export PATH=$root/test/rehearsal/bin:$PATH
exec node --import tsx test/rehearsal/main.ts
