#!/bin/sh
# The part of the official image's entrypoint that tests use: creates the database in $PGDATA if it is empty, and starts
# the server. Reads POSTGRES_PASSWORD, POSTGRES_USER and POSTGRES_DB.
set -eu
PGDATA=${PGDATA:-/var/lib/postgresql/data}
user=${POSTGRES_USER:-postgres}
export PGDATA
# The server wants a name for its user id.
if ! id -un >/dev/null 2>&1; then
  echo "The user id $(id -u) has no name here: use runAsUser 999." >&2
  exit 1
fi
mkdir -p "$PGDATA"
if [ ! -s "$PGDATA/PG_VERSION" ]; then
  password=$(mktemp)
  printf '%s' "${POSTGRES_PASSWORD:?set POSTGRES_PASSWORD}" >"$password"
  initdb --username="$user" --pwfile="$password" --auth-host=scram-sha-256 --auth-local=trust --encoding=UTF8 >/dev/null
  rm -f "$password"
  echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
  if [ "${POSTGRES_DB:-$user}" != postgres ]; then
    pg_ctl -w -o "-c listen_addresses='' -k /tmp" start >/dev/null
    createdb --host=/tmp --username="$user" "${POSTGRES_DB:-$user}"
    pg_ctl -w -m fast stop >/dev/null
  fi
fi
exec postgres -c listen_addresses='*' -k /tmp "$@"
