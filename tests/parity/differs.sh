#!/bin/sh
# Holds a comparison to finding what is wrong: differs.sh PROGRAM [ARGUMENT]... Exit status 1 of the program is success, and so is
# an abort by the emulation; anything else would mean that the fault went by, or that nothing was compared.
"$@"
status=$?
[ $status = 1 ] || [ $status = 134 ] && exit 0
echo "exit status $status: the planted fault was not seen"
exit 1
