// Replays a typing session against the daemon and prints how long its answers take, with and without what makes them come
// sooner: node tests/bench/replay.mjs PROGRAM [--model DIR] [--device NAME] [--rounds N] [FILE...]
//
// An editor that asks at every key types the end of each function of the files again, one after the other. Four classes:
//   cold          the first request in a file that was just opened
//   warm          after a key that the text offered did not foresee, or with nothing offered
//   typed ahead   after a key that it did
//   after accept  after the text offered was inserted; it is taken back afterwards where it was not what the file says
// Both daemons play the same script, turn about, file by file. It is no test: it takes minutes, and times depend on the machine.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';

const KEY_MS = 120; // between keys, 100 words a minute
const READ_MS = 600; // looking at what is offered before accepting it
const TYPED_BYTES = 60; // of each place
const PLACES = 3; // in each file

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    model: { type: 'string' },
    device: { type: 'string', default: 'cpu' },
    rounds: { type: 'string', default: '1' },
    threads: { type: 'string' },
  },
});
const [program, ...files] = positionals;
if (!program) {
  console.error('usage: node tests/bench/replay.mjs PROGRAM [--model DIR] [--device NAME] [--threads N] [--rounds N] [FILE...]');
  process.exit(2);
}
const sources = files.length > 0 ? files : ['lsp/protocol/frame.c', 'lsp/completion/pace.c', 'tests/lint/includes.mjs', 'editors/neovim/lua/hxqd/health.lua'];
const languages = { c: 'c', h: 'c', mjs: 'javascript', js: 'javascript', ts: 'typescript', lua: 'lua', py: 'python', go: 'go', rs: 'rust' };
const off = { responseCache: false, prefetch: false, debounce: false, patience: 0 };

// One daemon and the editor's end of its conversation.
class Daemon {
  replies = new Map();
  input = Buffer.alloc(0);
  id = 0;
  version = 0;

  constructor(name, options) {
    this.name = name;
    this.times = { cold: [], warm: [], 'typed ahead': [], 'after accept': [] };
    const words = ['serve', '--device', values.device, '--log-level', 'error'];
    if (values.model) words.push('--model', values.model);
    if (values.threads) words.push('--threads', values.threads);
    this.child = spawn(program, words, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.child.stdout.on('data', (bytes) => this.hear(bytes));
    this.options = options;
  }

  hear(bytes) {
    this.input = Buffer.concat([this.input, bytes]);
    for (;;) {
      const header = /^Content-Length: (\d+)\r\n\r\n/.exec(this.input.toString('latin1', 0, 64));
      if (!header || this.input.length < header[0].length + Number(header[1])) return;
      const end = header[0].length + Number(header[1]);
      const message = JSON.parse(this.input.toString('utf8', header[0].length, end));
      this.input = this.input.subarray(end);
      this.replies.get(message.id)?.(message.result ?? null);
      this.replies.delete(message.id);
    }
  }

  say(message) {
    const body = Buffer.from(JSON.stringify({ jsonrpc: '2.0', ...message }));
    this.child.stdin.write(`Content-Length: ${body.length}\r\n\r\n`);
    this.child.stdin.write(body);
  }

  ask(method, params) {
    const id = ++this.id;
    this.say({ id, method, params });
    return new Promise((resolve) => this.replies.set(id, resolve));
  }

  async start() {
    await this.ask('initialize', { processId: process.pid, capabilities: {}, initializationOptions: this.options });
    this.say({ method: 'initialized', params: {} });
    while (!(await this.stats()).device) await sleep(50);
  }

  stats() {
    return this.ask('workspace/executeCommand', { command: 'hxqd.debug.stats' });
  }

  async stop() {
    await this.ask('shutdown');
    this.say({ method: 'exit' });
  }
}

const position = (text) => {
  const lines = text.split('\n');
  return { line: lines.length - 1, character: lines.at(-1).length };
};

// A document of which everything before the cursor and behind it is known.
class Document {
  constructor(daemon, uri, languageId, before, after) {
    Object.assign(this, { daemon, uri, before, after });
    daemon.say({
      method: 'textDocument/didOpen',
      params: { textDocument: { uri, languageId, version: ++daemon.version, text: before + after } },
    });
  }

  // Makes what stands before the cursor something else, from where it differs.
  become(before) {
    let same = 0;
    while (same < before.length && before[same] === this.before[same]) same++;
    const range = { start: position(this.before.slice(0, same)), end: position(this.before) };
    this.daemon.say({
      method: 'textDocument/didChange',
      params: {
        textDocument: { uri: this.uri, version: ++this.daemon.version },
        contentChanges: [{ range, text: before.slice(same) }],
      },
    });
    this.before = before;
  }

  // Asks for a completion and notes how long it took; gives the text, or "".
  async complete(kind) {
    const begun = performance.now();
    const items = await this.daemon.ask('textDocument/inlineCompletion', {
      textDocument: { uri: this.uri },
      position: position(this.before),
      context: { triggerKind: 2 },
    });
    this.daemon.times[kind].push(performance.now() - begun);
    return items?.[0]?.insertText ?? '';
  }

  close() {
    this.daemon.say({ method: 'textDocument/didClose', params: { textDocument: { uri: this.uri } } });
  }
}

// Types the end of a line range of a file again. The texts that are offered decide what is ahead and what is accepted.
async function typePlace(document, rest) {
  let offered = await document.complete('cold');
  for (let typed = 0; typed < Math.min(TYPED_BYTES, rest.length); typed++) {
    if (offered && typed % 10 === 3) {
      await sleep(READ_MS);
      const held = document.before;
      document.become(held + offered);
      const next = await document.complete('after accept');
      await sleep(KEY_MS);
      if (rest.startsWith(offered, typed)) {
        typed += offered.length - 1;
        offered = next;
        continue;
      }
      document.become(held);
    }
    await sleep(KEY_MS);
    const key = rest[typed];
    const isForeseen = offered.startsWith(key);
    document.become(document.before + key);
    offered = await document.complete(isForeseen ? 'typed ahead' : 'warm');
  }
}

// Where a file is cut: behind a line in the middle of what is indented.
function places(text) {
  const lines = text.split('\n');
  const inside = lines.map((line, index) => [line, index]).filter(([line]) => /^\s+\w/.test(line));
  return Array.from({ length: PLACES }, (_, i) => {
    const [line, index] = inside[Math.floor(((i + 1) * inside.length) / (PLACES + 1))];
    const start = lines.slice(0, index).join('\n').length + 1 + /^\s*/.exec(line)[0].length;
    const end = text.indexOf('\n\n', start);
    return [start, end < 0 ? text.length : end];
  });
}

const percentile = (times, percent) => {
  const sorted = times.toSorted((a, b) => a - b);
  return sorted.length > 0 ? sorted[Math.ceil((sorted.length * percent) / 100) - 1].toFixed(1) : '-';
};

const daemons = [new Daemon('without', off), new Daemon('with', {})];
for (const daemon of daemons) await daemon.start();
for (let round = 0; round < Number(values.rounds); round++) {
  for (const path of sources) {
    const text = readFileSync(path, 'utf8');
    for (const [index, [start, end]] of places(text).entries()) {
      for (const daemon of daemons) {
        const uri = `file:///replay/${round}/${index}/${path}`;
        const languageId = languages[path.split('.').at(-1)] ?? 'plaintext';
        const document = new Document(daemon, uri, languageId, text.slice(0, start), text.slice(end));
        await typePlace(document, text.slice(start, end));
        document.close();
      }
    }
  }
}

console.log('| class | without: p50 ms | p95 ms | n | with: p50 ms | p95 ms | n |\n|-|-|-|-|-|-|-|');
for (const kind of Object.keys(daemons[0].times)) {
  const cells = daemons.map(({ times }) => `${percentile(times[kind], 50)} | ${percentile(times[kind], 95)} | ${times[kind].length}`);
  console.log(`| ${kind} | ${cells.join(' | ')} |`);
}
for (const daemon of daemons) {
  const { started, cache_hits, adopted, early, prefetched, prefetched_used, completion_tokens } = await daemon.stats();
  const counts = { started, cache_hits, adopted, early, prefetched, prefetched_used, completion_tokens };
  console.log(`\n${daemon.name}: ${JSON.stringify(counts)}`);
  await daemon.stop();
}
