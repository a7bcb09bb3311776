// Packs the extension into hxqd-VERSION.vsix: node vsix.mjs
//
// A .vsix is a zip archive with the extension's files in extension/, a manifest and a list of content types. The same files
// give the same archive, byte by byte: names in order, one date for all.
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { deflateRawSync } from 'node:zlib';

const FILES = ['LICENSE', 'README.md', 'icon.png', 'package.json', 'dist', 'walkthrough'];

const CONTENT_TYPES = {
  '.js': 'application/javascript', '.json': 'application/json', '.md': 'text/markdown', '.png': 'image/png',
  '.txt': 'text/plain', '.vsixmanifest': 'text/xml',
};

// 1 January 1980, 0:00, the first date that a zip archive can hold.
const DATE = 0x21;

function listFiles(path) {
  return statSync(path).isDirectory() ? readdirSync(path).sort().map((name) => join(path, name)) : [path];
}

// The README without what it shows of the repository around it: pictures, and the targets of links.
function readme() {
  const text = readFileSync('README.md', 'utf8').replace(/^ *!\[.*\]\(\.\..*\n\n?/gm, '');
  return Buffer.from(text.replace(/\[([^[\]\n]*)\]\(\.\.[^)]*\)/g, '$1'));
}

function escape(text) {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}

function manifest(extension) {
  const { name, version, publisher, displayName, description, categories, keywords, engines, extensionKind, icon } = extension;
  return `<?xml version="1.0" encoding="utf-8"?>
<PackageManifest Version="2.0.0" xmlns="http://schemas.microsoft.com/developer/vsx-schema/2011">
  <Metadata>
    <Identity Language="en-US" Id="${name}" Version="${version}" Publisher="${publisher}"/>
    <DisplayName>${escape(displayName)}</DisplayName>
    <Description xml:space="preserve">${escape(description)}</Description>
    <Tags>${escape(keywords.join(','))}</Tags>
    <Categories>${escape(categories.join(','))}</Categories>
    <License>extension/LICENSE.txt</License>
    <Icon>extension/${icon}</Icon>
    <Properties>
      <Property Id="Microsoft.VisualStudio.Code.Engine" Value="${engines.vscode}"/>
      <Property Id="Microsoft.VisualStudio.Code.ExtensionKind" Value="${extensionKind.join(',')}"/>
    </Properties>
  </Metadata>
  <Installation>
    <InstallationTarget Id="Microsoft.VisualStudio.Code"/>
  </Installation>
  <Dependencies/>
  <Assets>
    <Asset Type="Microsoft.VisualStudio.Code.Manifest" Path="extension/package.json" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.Details" Path="extension/README.md" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Content.License" Path="extension/LICENSE.txt" Addressable="true"/>
    <Asset Type="Microsoft.VisualStudio.Services.Icons.Default" Path="extension/${icon}" Addressable="true"/>
  </Assets>
</PackageManifest>
`;
}

function contentTypes(names) {
  const extensions = [...new Set(names.map((name) => extname(name)))].filter(Boolean).sort();
  const lines = extensions.map((extension) => {
    if (!CONTENT_TYPES[extension]) throw new Error(`no content type for ${extension}`);
    return `  <Default Extension="${extension}" ContentType="${CONTENT_TYPES[extension]}"/>`;
  });
  return `<?xml version="1.0" encoding="utf-8"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">
${lines.join('\n')}
</Types>
`;
}

// The checksum of zip archives; Node.js has its own only from 22.2 on.
function crc32(bytes) {
  let rest = 0xffffffff;
  for (const byte of bytes) {
    rest ^= byte;
    for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
  }
  return ~rest >>> 0;
}

// A header of the zip format: numbers of two or four bytes, low byte first.
function header(...fields) {
  return Buffer.concat(fields.map(([bytes, value]) => {
    const field = Buffer.alloc(bytes);
    field.writeUIntLE(value, 0, bytes);
    return field;
  }));
}

// [name, content] pairs to an archive, as APPNOTE.TXT 6.3 describes it (4.3.7, 4.3.12, 4.3.16).
function zip(entries) {
  const VERSION = 20, UTF8 = 0x800, DEFLATE = 8;
  const bodies = [], directory = [];
  let offset = 0;
  for (const [name, content] of entries) {
    const packed = deflateRawSync(content, { level: 9 });
    const path = Buffer.from(name);
    const common = [[2, VERSION], [2, UTF8], [2, DEFLATE], [2, 0], [2, DATE], [4, crc32(content)], [4, packed.length],
      [4, content.length], [2, path.length], [2, 0]];
    const body = Buffer.concat([header([4, 0x04034b50], ...common), path, packed]);
    directory.push(header([4, 0x02014b50], [2, VERSION], ...common, [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]), path);
    bodies.push(body);
    offset += body.length;
  }
  const index = Buffer.concat(directory);
  const end = header([4, 0x06054b50], [2, 0], [2, 0], [2, entries.length], [2, entries.length], [4, index.length], [4, offset],
    [2, 0]);
  return Buffer.concat([...bodies, index, end]);
}

const extension = JSON.parse(readFileSync('package.json', 'utf8'));
const inside = (path) => `extension/${path === 'LICENSE' ? 'LICENSE.txt' : path.replaceAll('\\', '/')}`;
const files = FILES.flatMap(listFiles).map((path) => [inside(path), path === 'README.md' ? readme() : readFileSync(path)]);
const names = [...files.map(([name]) => name), 'extension.vsixmanifest'];
const archive = `hxqd-${extension.version}.vsix`;
writeFileSync(archive, zip([
  ['extension.vsixmanifest', Buffer.from(manifest(extension))],
  ['[Content_Types].xml', Buffer.from(contentTypes(names))],
  ...files,
]));
console.log(archive);
