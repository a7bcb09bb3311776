// Sums up test runs: node count_results.mjs RESULTS.xml...
//
// Reads what `ctest --output-junit` wrote. A ctest whose output carries cmocka's closing lines counts as that many cases,
// any other as one. The last line printed is "N passed, N failed, N skipped"; the status is 1 where anything failed or a
// file of results is missing or empty.
import { readFileSync } from 'node:fs';

const CASE = /<testcase name="([^"]*)"[^>]*? status="([a-z]+)"[^>]*>(.*?)<\/testcase>/gs;

// What cmocka says at the end of each group of tests: "[  PASSED  ] 3 test(s)."
const sumOfLines = (output, word) =>
  [...output.matchAll(new RegExp(`^\\[ *${word} *\\] (\\d+) test\\(s\\)`, 'gm'))]
    .reduce((sum, match) => sum + Number(match[1]), 0);

// Why a ctest or cmocka case was skipped: the last line it printed.
const lastLine = (output) => output.trim().split('\n').at(-1) || 'no reason given';

const skippedCases = (output) =>
  [...output.matchAll(/^\[ RUN +\] (.*)\n((?:(?!\[ ).*\n)*)\[ +SKIPPED +\] \1$/gm)]
    .map(([, name, printed]) => `${name}: ${lastLine(printed)}`);

// Counts of one ctest, and its skips as lines. One that failed has at least one failure, even if it died before it could
// say so; one that could not be run at all (no such program) failed too.
function readCase(status, body) {
  const output = /<system-out>(.*?)<\/system-out>/s.exec(body)?.[1] ?? '';
  const passed = sumOfLines(output, 'PASSED');
  const failed = sumOfLines(output, 'FAILED');
  const skipped = sumOfLines(output, 'SKIPPED');
  if (status === 'run') {
    const isCmocka = passed + failed + skipped > 0;
    return { passed: isCmocka ? passed : 1, failed, skipped, skips: skippedCases(output) };
  }
  if (status === 'disabled' || /<skipped message="SKIP_/.test(body)) {
    return { passed: 0, failed: 0, skipped: 1, skips: [lastLine(output)] };
  }
  return { passed, failed: Math.max(failed, 1), skipped, skips: skippedCases(output) };
}

const total = { passed: 0, failed: 0, skipped: 0 };
for (const path of process.argv.slice(2)) {
  let results = '';
  try {
    results = readFileSync(path, 'utf8');
  } catch (error) {
    console.log(`no results: ${error.message}`);
  }
  const cases = [...results.matchAll(CASE)];
  if (cases.length === 0) total.failed++;
  for (const [, name, status, body] of cases) {
    const count = readCase(status, body);
    if (count.failed > 0) console.log(`failed  ${path}: ${name}`);
    for (const skip of count.skips) console.log(`skipped ${path}: ${name}: ${skip}`);
    for (const key in total) total[key] += count[key];
  }
}
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exitCode = total.failed > 0 ? 1 : 0;
