// What may lie in the source tree, and what text may not say: node files.mjs ROOT
import { readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { listFiles, report } from './tree.mjs';

const ROOMS = ['kernels', 'infer', 'parsers', 'lsp', 'tests', 'editors'];
const HIDDEN = ['.ci'];
const FILE_BYTES_MAX = 1024 * 1024;
// The embedded model, and the small checkpoints with reference numbers.
const LARGE_FILES = /^(infer\/default_model|tests\/golden\/[^/]+)\/model\.safetensors$/;

// Traces of the machine that a file was written on. Brackets keep the patterns from finding themselves.
const TRACES = [
  [/(?<![\w.~-])\/(?:roo[t]|wor[k]|hom[e]\/\w+|User[s]\/\w+|op[t]|mn[t])\//, 'a path of one machine'],
  [/registr[y]\.(?:npmjs|yarnpkg)|artifactor[y]|deb\.debia[n]|archive\.ubunt[u]|pypi\.or[g]/, 'the address of a registry'],
  [/_authToke[n]|BEGIN (?:RSA |OPENSSH )?PRIVATE KE[Y]/, 'a secret'],
  [/\b(?:TOD[O]|FIXM[E]|XX[X])\b/, 'unfinished work'],
];
// Other people's code, quoted: what it says is not ours.
const QUOTED = [/^tests\/fixtures\//, /^tests\/golden\//, /^infer\/default_model\/.*\.json$/, /package-lock\.json$/];

const root = process.argv[2];
const files = listFiles(root);
const faults = [];

const folders = new Set(files.filter((path) => path.includes('/')).map((path) => path.split('/')[0]));
for (const folder of folders) {
  if (!ROOMS.includes(folder) && !HIDDEN.includes(folder)) faults.push(`${folder}/: a seventh room`);
}

for (const path of files) {
  const bytes = statSync(join(root, path)).size;
  if (bytes > FILE_BYTES_MAX && !LARGE_FILES.test(path)) {
    faults.push(`${path}: ${bytes} bytes, more than ${FILE_BYTES_MAX}`);
  }
  if (bytes > FILE_BYTES_MAX) continue;
  const text = readFileSync(join(root, path), 'utf8');

  // Pinned packages, from whatever registry the user has.
  if (basename(path) === 'package.json' && !files.includes(path.replace(/package\.json$/, 'package-lock.json'))) {
    faults.push(`${path}: has no package-lock.json beside it`);
  }
  if (basename(path) === 'package-lock.json' && text.includes('"resolved"')) {
    faults.push(`${path}: "resolved" pins a registry; see .npmrc`);
  }

  if (text.includes('\0') || QUOTED.some((pattern) => pattern.test(path))) continue;
  text.split('\n').forEach((line, index) => {
    for (const [pattern, what] of TRACES) {
      if (pattern.test(line)) faults.push(`${path}:${index + 1}: ${what}`);
    }
  });
}
report('files', faults);
