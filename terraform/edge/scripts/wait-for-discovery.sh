#!/bin/sh
# Runs `gatehouse doctor` until it finds nothing that API Gateway would refuse, or until the time is over. Takes the variables
# ISSUER, DOCTOR (the command, quoted for a shell) and SECONDS_TO_TRY; SECONDS_BETWEEN is 10. Ends with 1 and the last report if a rule
# is not met.
set -u
end=$(($(date +%s) + SECONDS_TO_TRY))
eval "set -- $DOCTOR"
command -v "$1" >/dev/null 2>&1 || {
  echo "The program '$1' is not here. Set doctor.command to a command of Gatehouse, such as [\"docker\", \"run\", \"--rm\", \"IMAGE\"]." >&2
  exit 1
}
while true; do
  if report=$("$@" doctor --issuer "$ISSUER" 2>&1); then
    echo "$ISSUER meets all rules of API Gateway."
    exit 0
  fi
  [ "$(date +%s)" -lt "$end" ] || break
  echo "$ISSUER does not meet all rules yet, trying again in ${SECONDS_BETWEEN:=10} seconds."
  sleep "$SECONDS_BETWEEN"
done
echo "$report" >&2
echo "API Gateway would refuse $ISSUER: the authorizer was not made. Mend what the report names, then apply again." >&2
exit 1
