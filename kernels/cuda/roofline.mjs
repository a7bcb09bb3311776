// How long the CUDA kernels should take: a model, made from what they read and from the instructions in their inner loops.
//
//   node kernels/cuda/roofline.mjs count [NVDISASM]   compiles for each GPU's architecture, counts into roofline.json
//   node kernels/cuda/roofline.mjs write              puts the tables that follow from roofline.json into README.md
//   node kernels/cuda/roofline.mjs check              fails unless README.md shows exactly these tables
//
// Counting needs nvcc and a disassembler that knows its output; the rest needs nothing. Of every kernel the loop that reads the
// weights is taken (their streaming loads mark it), each of its instructions is put to the unit that executes it, and per weight
// the slowest unit, or the memory, decides. Latency, the beginning and end of kernels, and caches are not in the model.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const COUNTS = join(here, 'roofline.json');
const README = join(here, 'README.md');

// --- GPUs -------------------------------------------------------------------------------------------------------------

// From NVIDIA's data sheets and architecture papers. `rates`: what one multiprocessor executes per clock, in instructions of a
// whole warp ("load": passes of 128 bytes through the first cache or shared memory; "tensor": products, not instructions). The
// tensor rate of the H100 is what mma.sync reaches of it (arXiv 2402.13499), that of the T2000, which has no tensor cores, its
// float16 rate.
const gpus = [
  { name: 'T2000', arch: 'sm_75', sms: 16, clock: 1.785e9, memory: 128e9, rates: { issue: 4, load: 0.5, multiply: 2, integer: 2, special: 0.5, tensor: 128 } },
  { name: 'RTX 3090', arch: 'sm_86', sms: 82, clock: 1.695e9, memory: 936e9, rates: { issue: 4, load: 1, multiply: 4, integer: 2, special: 0.5, tensor: 256 } },
  { name: 'RTX 4090', arch: 'sm_89', sms: 128, clock: 2.52e9, memory: 1008e9, rates: { issue: 4, load: 1, multiply: 4, integer: 2, special: 0.5, tensor: 256 } },
  { name: 'H100 SXM', arch: 'sm_90', sms: 132, clock: 1.755e9, memory: 3350e9, rates: { issue: 4, load: 1, multiply: 4, integer: 2, special: 0.5, tensor: 1300 } },
];
const units = ['issue', 'load', 'multiply', 'integer', 'special', 'tensor'];

// --- kernels ----------------------------------------------------------------------------------------------------------

// `weights`: how many of them a streaming load of 16 bytes brings; of attention, which has none, products are counted.
// `inputs`: that many products are made of each weight. `inner`: how often a loop inside the counted one runs; 0 where it is not said
// and not needed for the products: the ends of rows.
const few = (key, title, name, storage, weights) =>
  [1, 8].map((inputs) => ({
    key: key + inputs,
    title: `${title}, ${inputs} input${inputs > 1 ? 's' : ''}`,
    source: 'hxq_matvec.cu',
    match: new RegExp(`\\b${name}<(\\(device_storage\\)${storage}, )?${inputs}>`),
    weights,
    inputs,
  }));
const HXQ = 0, BF16 = 2; // of enum device_storage
const kernels = [
  ...few('matvec', 'product', 'matvec', HXQ, 16),
  ...few('qkv', 'q, k, v', 'qkv', HXQ, 16),
  ...few('gate', 'gate and up', 'gate_up', HXQ, 16),
  ...few('head', 'head in bfloat16', 'matvec', BF16, 8),
  { key: 'matmul', title: 'product, 64 inputs', source: 'hxq_matmul.cu', match: /\bmatmul\b/, weights: 16, inner: 2 },
  { key: 'attention1', title: 'attention, few tokens', source: 'attention.cu', match: /\battend_chunks\b/ },
  { key: 'attention8', title: 'attention, many tokens', source: 'attention.cu', match: /\battend_many\b/ },
];

// --- counting ---------------------------------------------------------------------------------------------------------

// The unit of an instruction and the passes that it takes there.
function unitOf(op) {
  const width = /\.128/.test(op) ? 4 : /\.64/.test(op) ? 2 : 1;
  if (/^(LDS|STS|LDG|STG|LDC|ATOM|RED|LDGSTS)/.test(op)) return ['load', /^LDSM/.test(op) ? 4 : width];
  if (/^SHFL/.test(op)) return ['load', 1];
  if (/^(HMMA|IMMA)/.test(op)) return ['tensor', /16816/.test(op) ? 2048 : 1024];
  if (/^(MUFU|I2F|F2F|F2I|FRND|POPC|FLO|I2I)/.test(op)) return ['special', 1];
  if (/^(FFMA|FMUL|FADD|IMAD|IDP|HFMA2|HADD2|HMUL2)/.test(op)) return ['multiply', 1];
  if (/^(BRA|BAR|EXIT|NOP|WARPSYNC|BSSY|BSYNC|DEPBAR|RET|CALL|YIELD|BREAK)/.test(op)) return ['issue', 0];
  return ['integer', 1];
}

// Functions of a listing: [{name, code: [{op, labels, target}]}].
function readListing(text) {
  const functions = [];
  let labels = [];
  for (const line of text.split('\n')) {
    const section = /^\s*\.section\s+\.text\.([^,\s]+)/.exec(line);
    if (section) functions.push({ name: section[1], code: [] });
    const label = /^(\.L_\w+):/.exec(line);
    if (label) labels.push(label[1]);
    const instruction = /^\s+\/\*[0-9a-f]+\*\/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)(.*);/.exec(line);
    if (!instruction || !functions.length) continue;
    functions.at(-1).code.push({ op: instruction[1], labels, target: /`\((\.L_\w+)\)/.exec(instruction[2])?.[1] });
    labels = [];
  }
  return functions;
}

// Loops as [first, last] places, the shortest first.
function findLoops(code) {
  const place = new Map();
  code.forEach(({ labels }, at) => labels.forEach((label) => place.set(label, at)));
  return code
    .map(({ op, target }, at) => [place.get(target) ?? Infinity, at, op])
    .filter(([first, last, op]) => /^BRA/.test(op) && first < last)
    .sort((a, b) => a[1] - a[0] - (b[1] - b[0]));
}

const isStream = ({ op }) => /^LDG.*\.NA.*\.128/.test(op);

// What the loop over weights executes per weight of a lane: {issue, load, ...}, and how many weights one round has.
function countLoop(code, kernel) {
  const loops = findLoops(code);
  const number = ([first, last], is) => code.slice(first, last + 1).filter(is).length;
  const isLookup = ({ op }) => op.startsWith('LDS');
  // A kernel may have loops for other kinds of storage too: in the one for indices, weights are looked up.
  const loop = loops.find((one) => number(one, isStream) && (kernel.weights < 16 || number(one, isLookup) >= 4 * number(one, isStream)));
  if (!loop) throw new Error(`${kernel.key}: no loop over weights`);

  // How often the loops inside run: as the table says, or so often that all products are made.
  const [first, last] = loop;
  const inner = loops.filter(([from, to]) => from >= first && to <= last && to - from < last - first);
  const weights = number(loop, isStream) * kernel.weights;
  const times = inner.map(() => kernel.inner ?? 0);
  const isProduct = ({ op }) => op === 'FFMA';
  const outside = number(loop, isProduct) - inner.reduce((sum, one) => sum + number(one, isProduct), 0);
  if (kernel.inputs && outside < weights * kernel.inputs) {
    const products = inner.map((one) => number(one, isProduct)), most = products.indexOf(Math.max(...products));
    times[most] = (weights * kernel.inputs - outside) / products[most];
    if (!Number.isInteger(times[most])) throw new Error(`${kernel.key}: where its products are made is unclear`);
  }

  const round = Object.fromEntries(units.map((unit) => [unit, 0]));
  for (let at = first; at <= last; at++) {
    const within = inner.findIndex(([from, to]) => at >= from && at <= to);
    const often = within < 0 ? 1 : times[within];
    const [unit, passes] = unitOf(code[at].op);
    round.issue += often;
    if (unit !== 'issue') round[unit] += passes * often;
  }
  return { weights, ...Object.fromEntries(units.map((unit) => [unit, +(round[unit] / weights).toFixed(3)])) };
}

// Of attention, the loop that makes scores (keys come from shared memory) and the one that adds values: per product of a lane.
function countProducts(code, kernel) {
  const innermost = findLoops(code).filter(([from, to], _, all) => !all.some(([a, b]) => a >= from && b <= to && b - a < to - from));
  const bodies = innermost.map(([from, to]) => code.slice(from, to + 1).map(({ op }) => op));
  const products = (body) => body.filter((op) => op === 'FFMA').length;
  const wide = bodies.filter((body) => products(body) >= 4);
  const isValues = (body) => body.filter((op) => op.startsWith('LDG')).length >= products(body); // each is loaded
  const scores = wide.find((body) => !isValues(body)), values = wide.find(isValues);
  if (!scores || !values) throw new Error(`${kernel.key}: no loops of scores and values`);
  const per = (unit) =>
    [scores, values].reduce((sum, body) => {
      const passes = body.map(unitOf).reduce((n, [of, times]) => n + (unit === 'issue' ? 1 : of === unit ? times : 0), 0);
      return sum + passes / products(body) / 2;
    }, 0);
  return { weights: products(scores), ...Object.fromEntries(units.map((unit) => [unit, +per(unit).toFixed(3)])) };
}

function disassemble(source, arch, nvdisasm, folder) {
  const cubin = join(folder, 'kernel.cubin');
  const flags = ['-std=c++17', '-O3', '-fmad=false', `-arch=${arch}`, `-I${root}`, '-cubin', '-w', '-o', cubin, join(here, source)];
  execFileSync('nvcc', flags, { stdio: ['ignore', 'ignore', 'inherit'] });
  const functions = readListing(execFileSync(nvdisasm, ['-c', cubin], { encoding: 'utf8', maxBuffer: 1 << 30 }));
  const names = execFileSync('c++filt', functions.map(({ name }) => name), { encoding: 'utf8' }).split('\n');
  return functions.map((one, at) => ({ ...one, name: names[at] }));
}

function count(nvdisasm = 'nvdisasm') {
  const folder = mkdtempSync(join(tmpdir(), 'roofline-'));
  const counts = {};
  for (const { arch } of gpus) {
    const listings = new Map();
    counts[arch] = {};
    for (const kernel of kernels) {
      if (!listings.has(kernel.source)) listings.set(kernel.source, disassemble(kernel.source, arch, nvdisasm, folder));
      const found = listings.get(kernel.source).filter(({ name }) => kernel.match.test(name));
      if (found.length !== 1) throw new Error(`${kernel.key}: ${found.length} functions match ${kernel.match}`);
      counts[arch][kernel.key] = (kernel.weights ? countLoop : countProducts)(found[0].code, kernel);
    }
  }
  rmSync(folder, { recursive: true });
  writeFileSync(COUNTS, `${JSON.stringify(counts, null, 1)}\n`);
}

// --- the model --------------------------------------------------------------------------------------------------------

// Qwen2.5-Coder-3B.
const model = { layers: 36, hidden: 2048, inner: 11008, q: 2048, kv: 256, vocab: 151936, context: 2048 };

// What one pass of `inputs` tokens does, in order: kernel, numbers of the matrices, bytes that are read, products that are counted
// per number, how often in a pass. Behind a context, or from nothing for a prompt.
function steps(inputs) {
  const { layers, hidden, inner, q, kv, vocab, context } = model;
  const size = inputs === 1 ? '1' : inputs <= 8 ? '8' : '';
  const pick = (name) => (size ? name + size : 'matmul');
  const readings = size ? 1 : Math.ceil(inputs / 64); // a block of matmul makes 64 inputs: matrices come again for every 64
  const matrix = (what, kernel, numbers, times) => ({ what, kernel, bytes: numbers * readings, counted: numbers * readings, products: numbers * inputs, times });
  const seen = size ? context : inputs / 2; // positions, on average
  const groups = inputs <= 16 ? inputs : inputs / 4; // of tokens that share a reading of the cache
  return [
    matrix('q, k, v', pick('qkv'), (q + 2 * kv) * hidden, layers),
    {
      what: size ? `attention over ${context}` : 'attention',
      kernel: size ? 'attention1' : 'attention8',
      bytes: 2 * seen * kv * 4 * groups,
      counted: 2 * seen * q * inputs,
      products: 2 * seen * q * inputs,
      times: layers,
    },
    matrix('output of attention', pick('matvec'), hidden * q, layers),
    matrix('gate, up', pick('gate'), 2 * inner * hidden, layers),
    matrix('down', pick('matvec'), hidden * inner, layers),
    {
      what: 'head',
      kernel: inputs === 8 ? 'head8' : 'head1',
      bytes: 2 * vocab * hidden,
      counted: vocab * hidden,
      products: vocab * hidden * (inputs === 8 ? 8 : 1),
      times: 1,
    },
  ];
}

// What bounds a step on a GPU, the slowest first: [what, seconds]. A warp has 32 lanes, for each of which was counted.
function bounds(gpu, counts, step) {
  const clocks = (unit) => (step.counted * counts[gpu.arch][step.kernel][unit]) / 32 / gpu.rates[unit] / gpu.sms;
  return [['memory', step.bytes / gpu.memory], ...units.map((unit) => [unit, clocks(unit) / gpu.clock])].sort((a, b) => b[1] - a[1]);
}

// --- tables -----------------------------------------------------------------------------------------------------------

const table = (head, rows) =>
  [head, head.map((_, at) => (at ? '-:' : '-')), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const micro = (seconds) => (seconds * 1e6 < 9.95 ? (seconds * 1e6).toFixed(1) : (seconds * 1e6).toFixed(0));

function gpuTable() {
  return table(
    ['', 'architecture', 'multiprocessors', 'GHz', 'memory, GB/s', 'fp32 a clock', 'shared, bytes a clock'],
    gpus.map((gpu) => [gpu.name, gpu.arch, gpu.sms, gpu.clock / 1e9, gpu.memory / 1e9, gpu.rates.multiply * 32, gpu.rates.load * 128]),
  );
}

function countTable(counts) {
  return table(
    ['kernel', 'architecture', 'all', 'load', 'multiply', 'integer', 'tensor'],
    kernels.flatMap((kernel) =>
      gpus
        .filter(({ arch }) => arch !== 'sm_89') // its code is sm_86's
        .map(({ arch }) => {
          const one = counts[arch][kernel.key];
          const products = one.tensor ? (one.tensor / 32).toFixed(0) : '';
          return [kernel.title, arch, one.issue.toFixed(2), one.load.toFixed(2), one.multiply.toFixed(2), one.integer.toFixed(2), products];
        }),
    ),
  );
}

// One table for a pass: microseconds of each kernel, once, and what bounds it.
function passTable(counts, inputs) {
  const rows = steps(inputs).map((step) => [
    `${step.what}${step.times > 1 ? ` (${step.times} times)` : ''}`,
    (step.bytes / 1e6).toFixed(1),
    (step.products / 1e6).toFixed(0),
    ...gpus.map((gpu) => bounds(gpu, counts, step)[0]).map(([by, seconds]) => `${micro(seconds)} ${by}`),
  ]);
  const total = (gpu) => steps(inputs).reduce((sum, step) => sum + step.times * bounds(gpu, counts, step)[0][1], 0);
  rows.push(['**a pass, ms**', '', '', ...gpus.map((gpu) => `**${(total(gpu) * 1e3).toFixed(2)}**`)]);
  rows.push(['tokens/s, were that all', '', '', ...gpus.map((gpu) => (inputs / total(gpu)).toFixed(0))]);
  return table(['', 'MB', 'M products', ...gpus.map(({ name }) => `${name}, µs`)], rows);
}

function tables() {
  const counts = JSON.parse(readFileSync(COUNTS, 'utf8'));
  return `<!-- made by roofline.mjs write: do not edit -->

The GPUs as the model sees them:

${gpuTable()}

Instructions per weight in the loops over weights, from SASS. *load* counts passes of 128 bytes through shared memory and the first
cache; *tensor* products of tensor cores:

${countTable(counts)}

One token, which decoding reads all weights for:

${passTable(counts, 1)}

Eight tokens, as when drafts are verified:

${passTable(counts, 8)}

A prompt of 512 tokens from nothing, the head once:

${passTable(counts, 512)}

<!-- end of what roofline.mjs writes -->`;
}

const section = /<!-- made by roofline[^]*<!-- end of what roofline.mjs writes -->/;

function main([command, argument]) {
  if (command === 'count') return count(argument);
  const text = readFileSync(README, 'utf8');
  const fresh = text.replace(section, () => tables());
  if (command === 'write') return writeFileSync(README, fresh);
  if (command === 'check' && section.test(text) && fresh === text) return undefined;
  process.stderr.write('kernels/cuda/README.md does not show what follows from roofline.json: node kernels/cuda/roofline.mjs write\n');
  process.exitCode = 1;
  return undefined;
}

main(process.argv.slice(2));
