#!/bin/sh
# The program hxqd, but that it dies whenever it is to serve.
[ "$1" = --version ] || exit 3
exec "$HXQD" --version
