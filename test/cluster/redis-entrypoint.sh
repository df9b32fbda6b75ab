#!/bin/sh
# The part of the official image's entrypoint that tests use: starts the server, with data in /data.
set -eu
cd /data
exec redis-server --bind '*' --protected-mode no "$@"
