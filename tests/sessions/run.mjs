// Plays one session with the real server: node run.mjs FOLDER_WITH_PROGRAMS CASE_FOLDER. See README.md for the language.
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const PATIENCE_MS = 20000;
const POLL_MS = 20;
const TICK_MS = 10; // of /proc/PID/stat: USER_HZ is 100 wherever Linux runs
const here = dirname(fileURLToPath(import.meta.url));
const [programs, folder] = process.argv.slice(2);

class Failure extends Error {}
const check = (truth, what) => {
  if (!truth) throw new Failure(what);
};

// Statements: { verb, text, place, body }, with JSON that goes on over several lines joined and blocks nested.
function parseSession(path) {
  const lines = [];
  readFileSync(path, 'utf8').split('\n').forEach((text, index) => {
    if (/^\s*(#|$)/.test(text)) return;
    if (/^\s*[[{}\]"]/.test(text) && lines.length > 0) lines.at(-1).text += ` ${text.trim()}`;
    else lines.push({ text: text.trim(), place: `${path}:${index + 1}` });
  });
  const stack = [[]];
  for (const { text, place } of lines) {
    const statement = { text, place, verb: text.split(' ')[0], body: [] };
    if (statement.verb === 'end') {
      stack.pop();
      continue;
    }
    stack.at(-1).push(statement);
    if (['together', 'repeat'].includes(statement.verb)) stack.push(statement.body);
  }
  return stack[0];
}

// Whether a value is as a pattern says.
function matches(pattern, value) {
  if (pattern === '*') return value !== undefined;
  if (typeof pattern === 'string' && pattern.startsWith('~')) {
    return ['string', 'number'].includes(typeof value) && new RegExp(pattern.slice(1), 'su').test(value);
  }
  if (Array.isArray(pattern)) {
    return Array.isArray(value) && value.length === pattern.length && pattern.every((p, i) => matches(p, value[i]));
  }
  if (pattern !== null && typeof pattern === 'object') {
    return value !== null && typeof value === 'object' && !Array.isArray(value) &&
      Object.entries(pattern).every(([key, p]) => matches(p, value[key]));
  }
  return pattern === value;
}

// The conversation: what was said, what was heard and is not accounted for yet.
class Session {
  variables = {};
  environment = {};
  program = 'hxqd_scripted';
  arguments = ['serve'];
  through = 'stdio';
  asked = new Set();
  answered = new Set();
  heard = [];
  allowed = new Set();
  forbidden = new Set();
  input = Buffer.alloc(0);
  log = '';
  pending = []; // pieces of a `together` block or of the file to be redirected
  isHolding = false;
  isDeaf = false;
  cuts = [];
  logPatterns = [];
  child = null;
  problem = null;
  wake = () => {};

  constructor() {
    this.scratch = mkdtempSync(join(tmpdir(), 'hxqd-session-'));
    this.variables.socket = join(this.scratch, 'socket');
    this.variables.folder = join(this.scratch, 'folder');
  }

  substitute(text) {
    return text.replace(/\$\{(\w+)(?::(\d+))?\}/g, (whole, name, count) => {
      if (name === 'deep') return '['.repeat(count) + ']'.repeat(count);
      if (name === 'fill') return 'x'.repeat(count);
      if (name === 'dead') return spawnSync('true').pid;
      check(name in this.variables, `no such variable: ${whole}`);
      return this.variables[name];
    });
  }

  // A file below ${folder}, its text in JSON's escapes.
  file(name, text) {
    const path = join(this.variables.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, JSON.parse(text));
  }

  // A socket that nobody listens on any more.
  stale(path) {
    const listener = `require('net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', listener]);
    check(existsSync(path), 'no socket was left behind');
  }

  // Memory that the program has now, and at most had, in bytes.
  memory(name) {
    const status = readFileSync(`/proc/${this.child.pid}/status`, 'latin1');
    return Number(new RegExp(`${name}:\\s*(\\d+) kB`).exec(status)[1]) * 1024;
  }

  async shrinks(bytes) {
    for (let waited = 0; this.memory('VmHWM') - this.memory('VmRSS') < bytes; waited += POLL_MS) {
      check(waited < PATIENCE_MS, `had ${this.memory('VmHWM')} bytes of memory, has ${this.memory('VmRSS')}`);
      await sleep(POLL_MS);
    }
  }

  // Processor time that all of the program's threads have used.
  usedMs() {
    const fields = readFileSync(`/proc/${this.child.pid}/stat`, 'latin1').split(') ')[1].split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  }

  async rest(forMs, mostMs) {
    const before = this.usedMs();
    await sleep(forMs);
    const used = this.usedMs() - before;
    check(used <= mostMs, `${used} ms of processor time`);
  }

  async start() {
    if (this.child) return;
    const files = this.through === 'files';
    if (files) {
      const path = join(this.scratch, 'input');
      const file = openSync(path, 'w');
      for (const bytes of this.pending) writeSync(file, bytes);
      closeSync(file);
      this.pending = [];
    }
    const stdio = files
      ? [openSync(join(this.scratch, 'input'), 'r'), openSync(join(this.scratch, 'output'), 'w'), 'pipe']
      : 'pipe';
    const accepted = this.through === 'listen' ? this.accept() : null;
    const environment = { ...process.env, HXQD_MODEL: '', XDG_CONFIG_HOME: this.variables.folder, ...this.environment };
    const words = this.arguments.map((word) => this.substitute(word));
    this.child = spawn(join(programs, this.program), words, { stdio, env: environment });
    if (this.isDeaf) this.child.on('exit', () => this.child.stderr.destroy());
    else this.child.stderr.on('data', (bytes) => (this.log += bytes));
    this.ended = new Promise((resolve) => {
      this.child.on('close', (status, signal) => {
        if (files) this.hear(readFileSync(join(this.scratch, 'output')));
        resolve(signal ?? status);
        this.hasEnded = true;
        this.wake();
      });
    });
    if (this.through === 'stdio') {
      this.writer = this.child.stdin;
      this.listenTo(this.child.stdout);
    } else if (!files) {
      this.writer = accepted ? await accepted : await this.connect();
      this.listenTo(this.writer);
    }
    this.writer?.on('error', () => {}); // the program may be gone: what it said decides
  }

  accept() {
    const server = createServer();
    const accepted = new Promise((resolve) => {
      server.on('connection', (socket) => {
        server.close();
        resolve(socket);
      });
    });
    return new Promise((resolve) => server.listen(this.variables.socket, resolve)).then(() => accepted);
  }

  async connect() {
    for (let waited = 0; ; waited += POLL_MS) {
      const socket = connect(this.variables.socket);
      const isConnected = await new Promise((resolve) => {
        socket.on('connect', () => resolve(true));
        socket.on('error', () => resolve(false));
      });
      if (isConnected) return socket;
      check(waited < PATIENCE_MS, `nothing listens on the socket; the log says:\n${this.log}`);
      await sleep(POLL_MS);
    }
  }

  listenTo(stream) {
    stream.on('data', (bytes) => this.hear(bytes));
    stream.on('error', () => {});
  }

  // Takes framed messages out of the output.
  hear(bytes) {
    this.input = Buffer.concat([this.input, bytes]);
    for (;;) {
      const header = /^Content-Length: (\d+)\r\n\r\n/.exec(this.input.toString('latin1', 0, 64));
      if (!header) {
        if (this.input.length >= 64) this.problem ??= `output without a header: ${this.input.toString('utf8', 0, 64)}`;
        break;
      }
      const end = header[0].length + Number(header[1]);
      if (this.input.length < end) break;
      this.account(JSON.parse(this.input.toString('utf8', header[0].length, end)));
      this.input = this.input.subarray(end);
    }
    this.wake();
  }

  account(message) {
    if (!message.method && message.id !== null) {
      const id = JSON.stringify(message.id);
      if (!this.asked.has(id)) this.problem ??= `an answer to ${id}, which nobody asked about`;
      if (this.answered.has(id)) this.problem ??= `a second answer to ${id}`;
      this.answered.add(id);
    }
    const text = JSON.stringify(message);
    for (const word of this.forbidden) if (text.includes(word)) this.problem ??= `"${word}" in ${text}`;
    this.heard.push(message);
  }

  async write(bytes) {
    if (this.isHolding || (this.through === 'files' && !this.child)) {
      this.pending.push(bytes);
      return;
    }
    await this.start();
    const cuts = [0, ...this.cuts.splice(0), bytes.length];
    for (let i = 1; i < cuts.length; i++) {
      if (i > 1) await sleep(POLL_MS);
      this.writer.write(bytes.subarray(cuts[i - 1], cuts[i]));
    }
  }

  frame(text) {
    const body = Buffer.from(text);
    return this.write(Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]));
  }

  // Sends JSON as it is written in the session; `head` are the members before the parameters.
  say(head, params, key = 'params') {
    return this.frame(`{"jsonrpc":"2.0",${head}${params ? `,"${key}":${params}` : ''}}`);
  }

  request(id, method, params) {
    this.asked.add(JSON.stringify(JSON.parse(id)));
    return this.say(`"id":${id},"method":"${method}"`, params);
  }

  // Waits for `find` to give something.
  async until(find, what) {
    await this.start();
    const deadline = Date.now() + PATIENCE_MS;
    for (;;) {
      check(!this.problem, this.problem);
      const found = find();
      if (found !== undefined) return found;
      const left = deadline - Date.now();
      check(left > 0 && !(this.hasEnded && this.through !== 'files'), `not heard: ${what}`);
      await Promise.race([new Promise((resolve) => (this.wake = resolve)), sleep(Math.min(left, 100))]);
    }
  }

  // Takes one message off the list of those not accounted for.
  take(isWanted, what, mustBeOldest) {
    return this.until(() => {
      const index = this.heard.findIndex(isWanted);
      if (index < 0) return undefined;
      check(!mustBeOldest || index === 0, `${what} was not the next message`);
      return this.heard.splice(index, 1)[0];
    }, what);
  }

  expect(words, what, mustBeOldest) {
    const [kind, subject, ...rest] = words;
    const detail = rest.length > 0 ? JSON.parse(rest.join(' ')) : '*';
    const isId = (message) => !message.method && JSON.stringify(message.id) === subject;
    const isMethod = (message, hasId) => message.method === subject && 'id' in message === hasId &&
      (rest.length === 0 || matches(detail, message.params));
    const kinds = {
      result: (message) => isId(message) && 'result' in message && matches(detail, message.result),
      error: (message) => isId(message) && matches(detail, typeof detail === 'number' ? message.error?.code : message.error),
      answered: (message) => isId(message) && ('result' in message || message.error.code === -32800),
      notification: (message) => isMethod(message, false),
      request: (message) => isMethod(message, true),
    };
    check(kind in kinds, `nothing can be expected of "${kind}"`);

    // an id is answered once: another answer than the wanted one is not worth waiting on
    const isReply = ['result', 'error', 'answered'].includes(kind) && subject !== 'null';
    const isWanted = (message) => {
      check(kinds[kind](message) || !isReply || !isId(message), `another answer: ${JSON.stringify(message)}`);
      return kinds[kind](message);
    };
    return this.take(isWanted, what, mustBeOldest);
  }

  async poll(words) {
    const [id, method, params, ...pattern] = words;
    for (let i = 0; i < PATIENCE_MS / POLL_MS; i++) {
      const once = JSON.stringify(`${JSON.parse(id)}.${i}`);
      await this.request(once, method, params);
      const message = await this.expect(['result', once], `an answer to ${once}`);
      if (matches(JSON.parse(pattern.join(' ')), message.result)) return;
      await sleep(POLL_MS);
    }
    check(false, 'it never came to that');
  }

  async exit(status) {
    await this.start();
    const ended = await Promise.race([this.ended, sleep(PATIENCE_MS, 'still running', { ref: false })]);
    check(!this.problem, this.problem);
    check(String(ended) === status, `ended with ${ended}, not ${status}`);
    check(!/Sanitizer|runtime error/.test(this.log), 'a sanitizer complains');
    for (const pattern of this.logPatterns) check(pattern.test(this.log), `the log lacks ${pattern}`);
    const left = this.heard.filter((message) => !this.allowed.has(message.method));
    check(left.length === 0, `left over: ${JSON.stringify(left)}`);
    check(this.input.length === 0, 'output ends inside a message');
  }

  async run(statements) {
    for (const statement of statements) {
      try {
        await this.step(statement);
      } catch (error) {
        error.place ??= `${statement.place}: ${statement.text}`;
        throw error;
      }
    }
  }

  async step({ text, verb, body }) {
    const words = this.substitute(text).split(' ').slice(1);
    const rest = words.join(' ');
    switch (verb) {
      case 'program': this.program = rest; break;
      case 'arguments': this.arguments = words; break;
      case 'through': this.through = rest; break;
      case 'deaf': this.isDeaf = true; break;
      case 'env': this.environment[rest.split('=')[0]] = rest.slice(rest.indexOf('=') + 1); break;
      case 'allow': this.allowed.add(rest); break;
      case 'forbid': this.forbidden.add(rest); break;
      case 'file': this.file(words[0], words.slice(1).join(' ')); break;
      case 'remove': rmSync(join(this.variables.folder, rest)); break;
      case 'stale': this.stale(rest); break;
      case 'shrinks': await this.shrinks(Number(rest)); break;
      case 'rest': await this.rest(Number(words[0]), Number(words[1])); break;
      case 'include': await this.run(parseSession(join(here, `${rest}.session`))); break;
      case 'request': await this.request(words[0], words[1], words.slice(2).join(' ')); break;
      case 'notify': await this.say(`"method":"${words[0]}"`, words.slice(1).join(' ')); break;
      case 'answer': await this.say(`"id":${words[0]}`, words.slice(1).join(' '), 'result'); break;
      case 'frame': await this.frame(rest); break;
      case 'raw': await this.write(Buffer.from(JSON.parse(rest))); break;
      case 'apart': this.cuts = words.map(Number); break;
      case 'wait': await sleep(Number(rest)); break;
      case 'close': await this.start(); this.writer.end(); break;
      case 'signal': await this.start(); this.child.kill(rest); break;
      case 'kill': await this.start(); this.writer.destroy(); this.child.stdout.destroy(); break;
      case 'next': await this.expect(words, rest, true); break;
      case 'poll': await this.poll(words); break;
      case 'exit': await this.exit(rest); break;
      case 'expect':
        if (words[0] === 'log') this.logPatterns.push(new RegExp(rest.slice(4)));
        else await this.expect(words, rest, false);
        break;
      case 'together':
        this.isHolding = true;
        await this.run(body);
        this.isHolding = false;
        await this.write(Buffer.concat(this.pending.splice(0)));
        break;
      case 'repeat':
        for (let i = Number(words[1]); i <= Number(words[2]); i++) {
          this.variables[words[0]] = i;
          await this.run(body);
          if (words[4] !== undefined) await sleep(Number(words[4]));
        }
        break;
      default: throw new Failure(`unknown word "${verb}"`);
    }
  }
}

const session = new Session();
try {
  const statements = parseSession(join(folder, 'session'));
  check(statements.at(-1)?.verb === 'exit' || statements.at(-1)?.verb === 'include', 'a session ends with exit');
  await session.run(statements);
} catch (error) {
  if (!(error instanceof Failure)) console.error(error);
  console.error(`${error.place ?? folder}\n  ${error.message}`);
  console.error(`left over: ${JSON.stringify(session.heard)}\nlog:\n${session.log}`);
  process.exitCode = 1;
} finally {
  session.child?.kill('SIGKILL');
  session.writer?.destroy();
  rmSync(session.scratch, { recursive: true, force: true });
}
