// Plants one fault after another in a small tree and sees that the check meant for it complains: node faults.mjs COMPILER
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const compiler = process.argv[2];
const PURPOSE = '/* A file that exists to be checked, and says so here. */\n';

const header = (guard, body) => `${PURPOSE}#ifndef ${guard}\n#define ${guard}\n${body}#endif\n`;
const source = (...includes) => PURPOSE + includes.map((name) => `#include ${name}\n`).join('');

// A tree without fault.
const SOUND = {
  'infer/error.h': header('INFER_ERROR_H', '#include <stddef.h>\nsize_t error_length(void);\n'),
  'infer/error.c': source('"infer/error.h"', '<string.h>') + 'const char *address = "https://"; /* // */\n',
  'infer/session.c': source('<jansson.h>', '"infer/error.h"', '"kernels/kernels.h"'),
  'kernels/kernels.h': header('KERNELS_KERNELS_H', 'int kernels_count(void);\n'),
  'lsp/protocol/frame.c': source('"infer/error.h"', '<uv.h>'),
  'parsers/package.json': '{}\n',
  'parsers/package-lock.json': '{}\n',
  'tests/any.c': source('"lsp/worker.h"', '<cmocka.h>'),
  'editors/README.md': 'Every editor is welcome.\n',
};

// [check, what must be said, the file that has the fault, its content]
const FAULTS = [
  ['includes', 'kernels/ may not include', 'kernels/kernels.c', source('"infer/error.h"')],
  ['includes', 'infer/ may not include', 'infer/session.c', source('"parsers/syntax.h"')],
  ['includes', 'lsp/ may not include', 'lsp/protocol/frame.c', source('"infer/session.h"')],
  ['includes', 'parsers/ may not include', 'parsers/scope.c', source('"lsp/text.h"')],
  ['includes', 'does not stand below', 'infer/error.c', source('"infer/session.h"')],
  ['includes', 'not for kernels/', 'kernels/kernels.c', source('<jansson.h>')],
  ['includes', 'not for infer/', 'infer/session.c', source('<uv.h>')],
  ['includes', 'not for lsp/', 'lsp/protocol/frame.c', source('<tree_sitter/api.h>')],
  ['includes', 'not a path from the root', 'infer/error.c', source('"../infer/error.h"')],
  ['includes', 'has no place', 'infer/unheard_of.c', source()],
  ['includes', 'in no room', 'misc/any.c', source()],
  ['headers', 'does not compile alone', 'infer/error.h', header('INFER_ERROR_H', 'size_t error_length(void);\n')],
  ['headers', 'does not compile alone', 'lsp/twice.h', 'struct twice { int once; };\n'],
  ['files', 'a seventh room', 'misc/notes.md', 'notes\n'],
  ['files', 'more than 1048576', 'infer/large.bin', 'x'.repeat(1024 * 1024 + 1)],
  ['files', 'a path of one machine', 'editors/README.md', `See /${'work'}/notes.\n`],
  ['files', 'the address of a registry', 'editors/README.md', `From ${'registry'}.npmjs.org.\n`],
  ['files', 'unfinished work', 'infer/error.c', `${PURPOSE}/* ${'TO'}${'DO'} */\n`],
  ['files', '"resolved" pins', 'parsers/package-lock.json', '{ "resolved": "" }\n'],
  ['files', 'no package-lock.json', 'editors/vscode/package.json', '{}\n'],
  ['style', 'a function of 71 lines', 'infer/error.c', `${PURPOSE}void f(void)\n{\n${'    g();\n'.repeat(71)}}\n`],
  ['style', 'lines, more than', 'infer/error.c', PURPOSE + 'int g(void);\n'.repeat(700)],
  ['style', 'columns, more than', 'infer/error.c', `${PURPOSE}/* ${'x'.repeat(200)} */\n`],
  ['style', 'does not open with', 'infer/error.c', 'int g(void);\n'],
  ['style', 'ends in white space', 'infer/error.c', `${PURPOSE}int g(void); \n`],
  ['style', 'a comment with //', 'infer/error.c', `${PURPOSE}/* "a" */ const char *u = "\\"/*"; // why\n`],
  ['style', 'its guard is not', 'infer/error.h', header('ERROR_H', '')],
];

// Status and words of a check run on a tree of these files.
function runCheck(check, files) {
  const root = mkdtempSync(join(tmpdir(), 'hxqd-lint-'));
  try {
    for (const room of ['kernels', 'infer', 'parsers', 'lsp', 'tests/lint', 'editors']) {
      mkdirSync(join(root, room), { recursive: true });
    }
    copyFileSync(join(here, 'rooms.txt'), join(root, 'tests/lint/rooms.txt'));
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true });
      writeFileSync(join(root, path), content);
    }
    const [program, ...words] = check === 'headers'
      ? [join(here, 'headers.sh'), root, compiler]
      : [process.execPath, join(here, `${check}.mjs`), root];
    const { status, stdout, stderr } = spawnSync(program, words, { encoding: 'utf8' });
    return { status, said: stdout + stderr };
  } finally {
    rmSync(root, { recursive: true });
  }
}

let failures = 0;
function expect(isTrue, what, said) {
  if (isTrue) return;
  failures++;
  console.log(`${what}; it said:\n${said}`);
}

for (const check of ['includes', 'headers', 'files', 'style']) {
  const { status, said } = runCheck(check, SOUND);
  expect(status === 0, `${check} complains about a sound tree`, said);
}
for (const [check, complaint, path, content] of FAULTS) {
  const { status, said } = runCheck(check, { ...SOUND, [path]: content });
  expect(status === 1 && said.includes(path.split('/')[0]) && said.includes(complaint),
    `${check} misses "${complaint}" in ${path}`, said);
}
console.log(`faults: ${FAULTS.length} planted, ${failures} failure(s)`);
process.exitCode = failures > 0 ? 1 : 0;
