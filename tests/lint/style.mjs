// The measurable part of the house style: node style.mjs ROOT
//
// C code is formatted by clang-format, so a function's body stands between a "{" and a "}" in the first column.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { listFiles, report } from './tree.mjs';

const FUNCTION_LINES_MAX = 70;
const FILE_LINES_MAX = 600;
const LINE_COLUMNS_MAX = 128; // clang-format holds code to 100; comments may be wider
const PURPOSE_MIN = 40; // characters of the comment that opens a file

const faults = [];

function checkFunctions(path, lines) {
  let start = null;
  lines.forEach((line, index) => {
    if (line === '{') start = index;
    if (line !== '}' || start === null) return;
    const length = index - start - 1;
    if (length > FUNCTION_LINES_MAX) {
      faults.push(`${path}:${start + 1}: a function of ${length} lines, more than ${FUNCTION_LINES_MAX}`);
    }
    start = null;
  });
}

// Comments are of one kind. What strings, characters and comments contain is passed over.
function checkComments(path, text) {
  if (!/\.(c|h|cc|cu|cuh)$/.test(path)) return;
  for (const { 0: token, index } of text.matchAll(/"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|\/\*.*?\*\/|\/\//gs)) {
    if (token === '//') faults.push(`${path}:${text.slice(0, index).split('\n').length}: a comment with // instead of /* */`);
  }
}

function checkFile(path) {
  const text = readFileSync(join(process.argv[2], path), 'utf8');
  const lines = text.split('\n');
  const opening = /^\/\*.*?\*\//s.exec(text)?.[0] ?? '';
  if (opening.length < PURPOSE_MIN) faults.push(`${path}: does not open with a comment on what it is for`);
  if (lines.length > FILE_LINES_MAX) faults.push(`${path}: ${lines.length} lines, more than ${FILE_LINES_MAX}`);
  lines.forEach((line, index) => {
    const columns = [...line].length;
    // Rows of a table of cases may be as wide as the text they hold.
    if (columns > LINE_COLUMNS_MAX && !path.startsWith('tests/unit/')) {
      faults.push(`${path}:${index + 1}: ${columns} columns, more than ${LINE_COLUMNS_MAX}`);
    }
    if (/\s$/.test(line)) faults.push(`${path}:${index + 1}: ends in white space`);
  });
  checkComments(path, text);
  checkFunctions(path, lines);
  if (/\.(h|cuh)$/.test(path)) {
    const guard = path.replace(/[/.]/g, '_').toUpperCase();
    if (!text.includes(`#ifndef ${guard}\n#define ${guard}\n`)) faults.push(`${path}: its guard is not ${guard}`);
  }
}

listFiles(process.argv[2])
  .filter((path) => /\.(c|h|cc|cu|cuh)$/.test(path) && !path.startsWith('tests/fixtures/'))
  .forEach(checkFile);
report('style', faults);
