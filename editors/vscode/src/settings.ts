// The user's settings, section "hxqd", and what of them travels to the server.
//
// Only what somebody has set is sent: defaults belong to the server, and $HXQD_MODEL counts where no model is named here.
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';

export const SECTION = 'hxqd';

// Setting → the server's name for it. They differ where VS Code keeps a setting from being a folder of others as well.
const SERVER_NAMES: Record<string, string> = {
  model: 'model',
  device: 'device',
  gpuMemory: 'gpuMemory',
  gpuFallback: 'gpuFallback',
  threads: 'threads',
  contextTokens: 'context',
  maxTokens: 'maxTokens',
  candidates: 'candidates',
  exact: 'exact',
  responseCache: 'responseCache',
  prefetch: 'prefetch',
  debounce: 'debounce',
  timeBudget: 'timeBudget',
  patience: 'patience',
  minProbability: 'minProbability',
  hoverDeadline: 'hoverDeadline',
  'context.crossFile': 'context.crossFile',
  'context.budgetTokens': 'context.budgetTokens',
  'context.ignore': 'context.ignore',
  'context.secretFiles': 'context.secretFiles',
};

// Languages that are completed unless a user says otherwise: those that the server has grammars for, then plain text.
export const LANGUAGES = [
  'c', 'cpp', 'css', 'go', 'html', 'java', 'javascript', 'javascriptreact', 'json', 'lua', 'python', 'rust', 'shellscript',
  'typescript', 'typescriptreact',
  'clojure', 'csharp', 'cuda-cpp', 'dart', 'dockerfile', 'elixir', 'fsharp', 'groovy', 'haskell', 'julia', 'kotlin', 'less',
  'makefile', 'objective-c', 'objective-cpp', 'perl', 'php', 'powershell', 'r', 'ruby', 'scala', 'scss', 'sql', 'swift', 'zig',
];

function section(): vscode.WorkspaceConfiguration {
  return vscode.workspace.getConfiguration(SECTION);
}

export function setting<T>(name: string): T | undefined {
  return section().get<T>(name);
}

function isSet(name: string): boolean {
  const known = section().inspect(name);
  return [known?.globalValue, known?.workspaceValue, known?.workspaceFolderValue].some((value) => value !== undefined);
}

/** Writes a setting where the user's own one stands: in the workspace if it is set there, else for the user. */
export async function changeSetting(name: string, value: unknown): Promise<void> {
  const isOfWorkspace = section().inspect(name)?.workspaceValue !== undefined;
  const target = isOfWorkspace ? vscode.ConfigurationTarget.Workspace : vscode.ConfigurationTarget.Global;
  await section().update(name, value, target);
}

/** A path as people write it: "~" is the home folder. */
export function expandPath(path: string): string {
  return path === '~' || path.startsWith('~/') ? join(homedir(), path.slice(1)) : path;
}

/** What the server is to know, under its own names. */
export function serverOptions(): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const [name, serverName] of Object.entries(SERVER_NAMES)) {
    const value = isSet(name) ? setting<unknown>(name) : undefined;
    if (value === undefined || value === null || value === '') continue;
    options[serverName] = name === 'model' ? expandPath(String(value)) : value;
  }
  return options;
}

/** Whether a change is about what the server was started with. */
export function concernsServer(event: vscode.ConfigurationChangeEvent): boolean {
  return ['path', ...Object.keys(SERVER_NAMES)].some((name) => event.affectsConfiguration(`${SECTION}.${name}`));
}

function languageChoices(): Record<string, boolean> {
  return setting<Record<string, boolean>>('languages') ?? {};
}

/** Every language whose documents the server is told about: ours, and those that the user has named. */
export function languages(): string[] {
  const named = Object.keys(languageChoices()).filter((language) => language !== '*');
  return [...new Set([...LANGUAGES, ...named])];
}

/** Whether completions are wanted in a language; "*" stands for those that are not named. */
export function isOn(language: string): boolean {
  const choices = languageChoices();
  return setting<boolean>('enabled') !== false && (choices[language] ?? choices['*'] ?? LANGUAGES.includes(language));
}

/** Turns completions of one language on or off. */
export async function turn(language: string, on: boolean): Promise<void> {
  await changeSetting('languages', { ...languageChoices(), [language]: on });
  if (on && setting<boolean>('enabled') === false) await changeSetting('enabled', true);
}
