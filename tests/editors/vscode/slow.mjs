#!/usr/bin/env node
// The program in $HXQD with texts that seem to take long: each piece of an inline completion, and its answer, is held back for
// HOLD_MS. The order of messages stays what it is.
import { spawn } from 'node:child_process';

const HOLD_MS = 1000;

const program = process.env.HXQD;
const isServer = process.argv.includes('serve');
const server = spawn(program, process.argv.slice(2), { stdio: ['pipe', isServer ? 'pipe' : 'inherit', 'inherit'] });
process.stdin.pipe(server.stdin);
server.on('exit', (code) => process.exit(code ?? 1));

let input = Buffer.alloc(0);
let queue = Promise.resolve();

// Whether a message is a piece of a ghost text, or an answer with one.
function isOfGhost({ method, params, result }) {
  const items = method === '$/progress' ? params.value : result;
  return Array.isArray(items) && items[0]?.insertText !== undefined;
}

server.stdout?.on('data', (data) => {
  input = Buffer.concat([input, data]);
  for (;;) {
    const end = input.indexOf('\r\n\r\n');
    if (end < 0) return;
    const bytes = Number(input.toString('latin1', 0, end).match(/Content-Length: (\d+)/i)[1]);
    if (input.length < end + 4 + bytes) return;
    const whole = input.subarray(0, end + 4 + bytes);
    const message = JSON.parse(input.subarray(end + 4, end + 4 + bytes));
    input = input.subarray(end + 4 + bytes);
    if (isOfGhost(message)) queue = queue.then(() => new Promise((resolve) => setTimeout(resolve, HOLD_MS)));
    queue = queue.then(() => process.stdout.write(whole));
  }
});
