#!/bin/sh
# Runs emacs.el in Emacs: emacs.sh HXQD. Emacs is $EMACS, else `emacs` on $PATH. Exit 77, with the reason, where there is none
# (ctest counts that as skipped); without lsp-mode the tests that need it are skipped by name.
set -eu

HXQD=$(realpath "$1")
EMACS=${EMACS:-emacs}
HOME=$(mktemp -d)
export HXQD HOME
trap 'rm -rf "$HOME"' EXIT

if ! command -v "$EMACS" >/dev/null; then
    echo "skipped: no Emacs ($EMACS not found)"
    exit 77
fi
"$EMACS" --batch -l editors/emacs/hxqd.el -l tests/editors/emacs.el -f ert-run-tests-batch-and-exit
