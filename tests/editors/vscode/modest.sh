#!/bin/sh
# The program hxqd in 2.5 GB of address space.
ulimit -v 2500000
exec "$HXQD" "$@"
