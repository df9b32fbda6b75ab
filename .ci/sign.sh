#!/usr/bin/env bash
# Signs an image or a chart in the registry by its digest, without a key: the certificate names the workflow that runs.
# Then verifies from the registry what was written.
#
#   .ci/sign.sh NAME@sha256:… [SBOM]   SBOM: an SPDX file in JSON, which is attested too
#
#   IDENTITY  the workflow that signs, https://github.com/OWNER/NAME/.github/workflows/release.yml@refs/tags/v1.2.3
set -euo pipefail
subject=${1:?"give the name with its digest"} sbom=${2:-}
[[ $subject =~ @sha256:[0-9a-f]{64}$ ]] || { echo "sign: $subject has no digest. A tag may name another image later." >&2 && exit 1; }
signer=(--certificate-oidc-issuer https://token.actions.githubusercontent.com --certificate-identity "$IDENTITY")

cosign sign --yes "$subject"
if [ -n "$sbom" ]; then cosign attest --yes --type spdxjson --predicate "$sbom" "$subject"; fi

# The exact workflow and tag, not a pattern: another workflow of the repository must not be able to sign.
cosign verify "${signer[@]}" "$subject" >/dev/null
echo "ok: the registry has the signature of $subject"
if [ -n "$sbom" ]; then
  cosign verify-attestation --type spdxjson "${signer[@]}" "$subject" >/dev/null
  echo "ok: the registry has the SBOM of $subject"
fi
