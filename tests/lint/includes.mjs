// Holds every include line to tests/lint/rooms.txt: node includes.mjs ROOT
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { listFiles, report } from './tree.mjs';

const root = process.argv[2];
const rooms = []; // { name, doors, third }: names of rooms, patterns of headers
const system = new Set();
const levels = new Map(); // path, with or without its ending -> { room, level }

// 'uv.h', 'tree_sitter/*', '*' against a header's name.
const matches = (pattern, name) =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;

// rooms.txt: lines of words; "order ROOM" opens a list of levels that ends at an empty line.
function readTable(text) {
  let order = null;
  let level = 0;
  for (const line of text.split('\n')) {
    const words = line.replace(/#.*/, '').split(/\s+/).filter(Boolean);
    if (words.length === 0) {
      if (line === '') order = null;
    } else if (order !== null) {
      level++;
      for (const name of words) levels.set(`${order}/${name}`, { room: order, level });
    } else if (words[0] === 'room') {
      const colon = words.indexOf(':');
      let room = rooms.find(({ name }) => name === words[1]);
      if (!room) rooms.push(room = { name: words[1], doors: [], third: [] });
      room.doors.push(...words.slice(2, colon));
      room.third.push(...words.slice(colon + 1));
    } else if (words[0] === 'system') {
      for (const name of words.slice(1)) system.add(name);
    } else if (words[0] === 'order') {
      order = words[1];
      level = 0;
    } else {
      throw new Error(`tests/lint/rooms.txt: what is "${line}"?`);
    }
  }
}

// The most specific room: kernels/cuda before kernels.
const roomOf = (path) =>
  rooms.filter((room) => path.startsWith(`${room.name}/`))
    .sort((a, b) => b.name.length - a.name.length)[0];

const levelOf = (path) => levels.get(path) ?? levels.get(path.replace(/\.\w+$/, ''));

function checkOutside(room, header) {
  const isAllowed = system.has(header) || room.third.some((pattern) => matches(pattern, header));
  return isAllowed ? null : `<${header}> is not for ${room.name}/`;
}

// Own header, lower levels of the own room, doors of other rooms.
function checkInside(room, path, header) {
  const self = levelOf(path);
  const other = levelOf(header);
  if (room.doors.some((pattern) => matches(pattern, header))) return null;
  if (!self) return null; // said already
  if (!other || self.room !== other.room) return `${room.name}/ may not include "${header}"`;
  const isOwn = header.replace(/\.\w+$/, '') === path.replace(/\.\w+$/, '');
  if (isOwn || other.level < self.level) return null;
  return `"${header}" does not stand below it in the order of ${self.room}/`;
}

function checkFile(path) {
  const room = roomOf(path);
  if (!room) return [`${path}: in no room`];
  const faults = [];
  if (!room.doors.includes('*') && !levelOf(path)) {
    faults.push(`${path}: has no place in the order of tests/lint/rooms.txt`);
  }
  readFileSync(join(root, path), 'utf8').split('\n').forEach((line, index) => {
    const include = /^\s*#\s*include\s*([<"])([^>"]+)[>"]/.exec(line);
    if (!include) return;
    const [, quote, header] = include;
    const isPlain = posix.normalize(header) === header && !header.startsWith('.');
    const fault = !isPlain ? `"${header}" is not a path from the root`
      : quote === '<' ? checkOutside(room, header) : checkInside(room, path, header);
    if (fault) faults.push(`${path}:${index + 1}: ${fault}`);
  });
  return faults;
}

readTable(readFileSync(join(root, 'tests/lint/rooms.txt'), 'utf8'));
const sources = listFiles(root).filter((path) => /\.(c|h|cc|cu|cuh)$/.test(path))
  // Snippets to complete, not our code.
  .filter((path) => !path.startsWith('tests/fixtures/'));
report('includes', sources.flatMap(checkFile));
