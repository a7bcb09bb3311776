// Whether the settings that the VS Code extension offers are those that the server knows: node settings.mjs
// One side is the table in lsp/SETTINGS.md, which a unit test holds to that of lsp/options.c, the other the extension's package.json;
// the table in the extension's README says what package.json says.
import { readFileSync } from 'node:fs';

// Settings of the extension alone, and what the table of the server does not list.
const OWN = ['path', 'growingText', 'languages'];

// The server's name for one that VS Code cannot have, since others begin with it.
const ALIASES = { context: 'context.tokens' };

// "a whole number from 1 to 8" and the like, as package.json says it.
function describe({ type, minimum, maximum, enum: values }) {
  if (values) return values.join(', ').replace(/, (\w+)$/, ' or $1');
  if (type === 'integer') return `a whole number from ${minimum} to ${maximum}`;
  if (type === 'number') return `a number from ${minimum} to ${maximum}`;
  return { boolean: 'true or false', array: 'a list of patterns', string: 'a text' }[type];
}

// What the README says about a setting.
function explain({ markdownDescription, enum: values = [], enumDescriptions = [] }) {
  const each = values.map((value, i) => `\`${value}\`: ${enumDescriptions[i]}`).join('; ');
  return [markdownDescription.replace(/`#hxqd\.([\w.]+)#`/g, '`$1`'), each].filter(Boolean).join(' ');
}

const isEmpty = (value) => value === '' || (Array.isArray(value) && value.length === 0);

const rows = (path) => [...readFileSync(path, 'utf8').matchAll(/^\| `([\w.]+)` \| (.*?) \| (.*?) \|(.*)$/gm)];
const served = new Map(rows('lsp/SETTINGS.md').map(([, name, value, standard, rest]) => (
  [ALIASES[name] ?? name, { value, standard, isOfUser: rest.split('|')[0].includes('U') }]
)));
const told = new Map(rows('editors/vscode/README.md').map(([, name, standard, meaning]) => [name, { standard, meaning }]));
const manifest = JSON.parse(readFileSync('editors/vscode/package.json', 'utf8'));
const restricted = manifest.capabilities.untrustedWorkspaces.restrictedConfigurations;
const { properties } = manifest.contributes.configuration;
const offered = new Map(Object.entries(properties).map(([name, property]) => [name.replace('hxqd.', ''), property]));

const faults = [];
for (const [name, { value, standard }] of served) {
  const property = offered.get(name);
  if (!property) {
    faults.push(`${name}: the extension does not offer it`);
    continue;
  }
  const expected = value.startsWith('the path') || value.startsWith('a size') ? 'a text' : value;
  if (describe(property) !== expected) faults.push(`${name}: ${describe(property)}, the server takes ${value}`);
  const own = isEmpty(property.default) ? 'none' : String(property.default);
  if (own !== standard) faults.push(`${name}: ${own} by default, the server's default is ${standard}`);
}
for (const [name, property] of offered) {
  if (!served.has(name) && !OWN.includes(name)) faults.push(`${name}: the server does not know it`);
  // What no workspace may set by the server's rules, and the program, wait for trust.
  const isRestricted = name === 'path' || served.get(name)?.isOfUser === true;
  if (restricted.includes(`hxqd.${name}`) !== isRestricted) faults.push(`${name}: in restrictedConfigurations: ${!isRestricted}`);
  const row = told.get(name);
  if (row?.standard !== `\`${JSON.stringify(property.default)}\``) faults.push(`${name}: another default in the README`);
  if (row?.meaning !== explain(property)) faults.push(`${name}: the README says otherwise: ${explain(property)}`);
}
for (const name of told.keys()) {
  if (!offered.has(name)) faults.push(`${name}: only in the README`);
}
if (served.size === 0) faults.push('lsp/SETTINGS.md has no table of options');
for (const fault of faults) console.log(fault);
console.log(`settings: ${served.size} options, ${faults.length} fault(s)`);
process.exitCode = faults.length > 0 ? 1 : 0;
