// Where the program hxqd is, and whether it runs.
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, realpath, stat } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import * as vscode from 'vscode';
import { expandPath, setting } from './settings.js';

// A program that does not tell its version by then is broken.
const VERSION_MS = 20_000;

export interface Program {
  path: string;
  version: string;
}

/** Why there is no program: a sentence for the user. */
export class NoProgram extends Error {}

// Where it may stand, most wanted first. A program that lies in a workspace is run only where the user trusts that.
async function candidates(extension: vscode.ExtensionContext): Promise<string[]> {
  const onPath = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  const checkout = join(await realpath(extension.extensionPath), '..', '..');
  const folders = vscode.workspace.isTrusted ? (vscode.workspace.workspaceFolders ?? []) : [];
  return [
    ...onPath.map((folder) => join(folder, 'hxqd')),
    join(checkout, 'build', 'hxqd'),
    ...folders.filter((folder) => folder.uri.scheme === 'file').map((folder) => join(folder.uri.fsPath, 'build', 'hxqd')),
  ];
}

async function isProgram(path: string): Promise<boolean> {
  return access(path, constants.X_OK).then(async () => (await stat(path)).isFile()).catch(() => false);
}

function readVersion(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    execFile(path, ['--version'], { timeout: VERSION_MS }, (error, output) => {
      if (error) reject(new NoProgram(`${path} does not run: ${error.message.trim()}`));
      else if (!/^hxqd\b/.test(output)) reject(new NoProgram(`${path} is not hxqd`));
      else resolve(output.trim());
    });
  });
}

/** The program of the setting, else the first that is found. @throws NoProgram */
export async function findProgram(extension: vscode.ExtensionContext): Promise<Program> {
  const wanted = expandPath(setting<string>('path') ?? '');
  if (wanted && !(await isProgram(wanted))) throw new NoProgram(`${wanted}, named by hxqd.path, is no program`);
  for (const path of wanted ? [wanted] : await candidates(extension)) {
    if (await isProgram(path)) return { path, version: await readVersion(path) };
  }
  throw new NoProgram('The program hxqd was not found');
}
