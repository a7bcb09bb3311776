// What the checks of the source tree share: which files it has, and how a check ends.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';

// Kept in step with .gitignore.
const IGNORED = /^(\.git|build|build-.*|node_modules|__pycache__)$/;

// Paths of all files below `root`, relative to it.
export function listFiles(root, folder = '') {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    if (IGNORED.test(entry.name)) return [];
    const path = folder ? `${folder}/${entry.name}` : entry.name;
    return entry.isDirectory() ? listFiles(root, path) : [path];
  });
}

// Prints the faults and sets the exit status.
export function report(check, faults) {
  for (const fault of faults) console.log(fault);
  console.log(`${check}: ${faults.length} fault(s)`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
