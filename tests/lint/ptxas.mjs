// What nvcc makes of every kernel, held to kernels/cuda/limits.txt: node ptxas.mjs ROOT NVCC
//
// No spills, no stack, static shared memory within 48 KiB, registers within the table, on each architecture of its first line.
// A kernel's name is the function's with its numbers: matvec 0 1. With --print the table is written instead of checked.
import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const [root, nvcc, option] = process.argv.slice(2);
if (!nvcc || nvcc.endsWith('NOTFOUND')) {
  console.log('skipped: no nvcc here');
  process.exit(77);
}
const SHARED_MAX = 48 * 1024;
const run = promisify(execFile);
const faults = [];

// "matvec 2 8" of _Z6matvecIL14device_storage2ELi8EEv14device_product..., whose names stand behind their lengths.
function nameOf(symbol) {
  const [, length, rest] = /^_Z(?:N\d+_GLOBAL__N[^E]*?_)?L?(\d+)(.*)$/.exec(symbol);
  const parameters = /^I((?:L(?:i|\d+[a-z_]+)\d+E)+)E/.exec(rest.slice(Number(length)))?.[1] ?? '';
  return [rest.slice(0, Number(length)), ...[...parameters.matchAll(/(\d+)E/g)].map(([, number]) => number)].join(' ');
}

// { name, registers, shared, spills, stack } of each kernel that ptxas -v tells of.
function kernelsOf(log) {
  return log.split(/Compiling entry function '/).slice(1).map((text) => {
    const number = (pattern) => Number(pattern.exec(text)?.[1] ?? 0);
    return {
      name: nameOf(/^[^']+/.exec(text)[0]),
      registers: number(/Used (\d+) registers/),
      shared: number(/(\d+) bytes smem/),
      spills: number(/(\d+) bytes spill stores/),
      stack: number(/(\d+) bytes stack frame/),
    };
  });
}

async function compile(file, architecture, folder) {
  const { stdout, stderr } = await run(nvcc, ['-std=c++17', '-O3', '-fmad=false', `-arch=sm_${architecture}`, '-Xptxas', '-v',
    `-I${root}`, '-c', join(root, 'kernels/cuda', file), '-o', join(folder, `${file}.${architecture}.o`)]);
  return kernelsOf(stdout + stderr);
}

function check(kernel, architecture, limit) {
  const where = `${kernel.name} on sm_${architecture}`;
  if (kernel.spills > 0 || kernel.stack > 0) faults.push(`${where}: ${kernel.spills} bytes spilled, ${kernel.stack} of stack`);
  if (kernel.shared > SHARED_MAX) faults.push(`${where}: ${kernel.shared} bytes of shared memory, more than ${SHARED_MAX}`);
  if (limit === undefined) faults.push(`${where}: not in kernels/cuda/limits.txt`);
  else if (kernel.registers > limit) faults.push(`${where}: ${kernel.registers} registers, more than ${limit}`);
}

const lines = readFileSync(join(root, 'kernels/cuda/limits.txt'), 'utf8').split('\n')
  .filter((line) => line && !line.startsWith('#')).map((line) => line.split('|').map((cell) => cell.trim()));
const architectures = lines[0].slice(1);
const limits = new Map(lines.slice(1).map(([name, ...registers]) => [name, registers.map(Number)]));
const files = readdirSync(join(root, 'kernels/cuda')).filter((file) => file.endsWith('.cu'));
const jobs = architectures.flatMap((architecture, column) => files.map((file) => ({ architecture, column, file })));
const folder = mkdtempSync(join(tmpdir(), 'ptxas-'));
const seen = new Map();

async function work() {
  for (let job = jobs.shift(); job; job = jobs.shift()) {
    for (const kernel of await compile(job.file, job.architecture, folder)) {
      check(kernel, job.architecture, limits.get(kernel.name)?.[job.column]);
      if (!seen.has(kernel.name)) seen.set(kernel.name, []);
      seen.get(kernel.name)[job.column] = kernel.registers;
    }
  }
}
await Promise.all(cpus().map(work)).finally(() => rmSync(folder, { recursive: true }));
for (const name of limits.keys()) if (!seen.has(name)) faults.push(`${name}: in the table, but no kernel`);
if (option === '--print') {
  const row = (cells) => cells.map((cell, i) => String(cell)[i ? 'padStart' : 'padEnd'](i ? 4 : 16)).join(' | ');
  console.log([row(['kernel', ...architectures]), ...[...seen].sort().map(([name, counts]) => row([name, ...counts]))].join('\n'));
} else {
  for (const fault of faults) console.error(fault);
  console.log(`ptxas: ${seen.size} kernels on ${architectures.length} architectures, ${faults.length} faults`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
