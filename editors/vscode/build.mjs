// Bundles the extension into dist/extension.js, with the licences of what is in it beside: node build.mjs
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { build } from 'esbuild';

const { metafile } = await build({
  metafile: true,
  entryPoints: ['src/extension.ts'],
  outfile: 'dist/extension.js',
  bundle: true,
  minify: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['vscode'],
  legalComments: 'none',
  logLevel: 'warning',
});

const packages = [...new Set(Object.keys(metafile.inputs).map((path) => path.match(/^node_modules\/(?:@[^/]+\/)?[^/]+/)?.[0]))];
const licences = packages.filter(Boolean).sort().map((path) => {
  const file = readdirSync(path).find((name) => /^licen[cs]e/i.test(name));
  return `${path.replace('node_modules/', '')}\n\n${readFileSync(join(path, file), 'utf8').trim()}\n`;
});
writeFileSync('dist/LICENSES.txt', licences.join(`\n${'-'.repeat(100)}\n\n`));
