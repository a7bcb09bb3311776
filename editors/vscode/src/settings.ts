// The user's settings, section "hxqd", and what of them travels to the server.
//
// Only what somebody has set is sent: the server has sources of its own beneath, such as its own file and $HXQD_MODEL.
import { homedir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';

export const SECTION = 'hxqd';

// Settings of this extension alone. All others are the server's, under the same names; ../../lsp/SETTINGS.md is about them.
const OWN = ['path', 'growingText'];

// Languages that are completed unless a user says otherwise: those that the server has grammars for, then plain text.
const LANGUAGES = [
  'c', 'cpp', 'css', 'go', 'html', 'java', 'javascript', 'javascriptreact', 'json', 'lua', 'python', 'rust', 'shellscript',
  'typescript', 'typescriptreact',
  'clojure', 'csharp', 'cuda-cpp', 'dart', 'dockerfile', 'elixir', 'fsharp', 'groovy', 'haskell', 'julia', 'kotlin', 'less',
  'makefile', 'objective-c', 'objective-cpp', 'perl', 'php', 'powershell', 'r', 'ruby', 'scala', 'scss', 'sql', 'swift', 'zig',
];

// Schemes of the documents that the server is told about.
const SCHEMES = ['file', 'untitled'];

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

/** The server's settings that somebody has set. `manifest` is this extension's package.json. */
export function serverOptions(manifest: { contributes: { configuration: { properties: object } } }): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  for (const fullName of Object.keys(manifest.contributes.configuration.properties)) {
    const name = fullName.slice(SECTION.length + 1);
    const value = !OWN.includes(name) && isSet(name) ? setting<unknown>(name) : undefined;
    if (value === undefined || value === null || value === '') continue;
    if (name === 'languages') options[name] = languageSettings();
    else options[name] = name === 'model' || name === 'draftModel' ? expandPath(String(value)) : value;
  }
  return options;
}

// What a user has set for one language; the server knows more of it than this.
interface LanguageSettings {
  enabled?: boolean;
}

// As the server wants them: people also write true and false for a language that is on or off, and null for nothing.
function languageSettings(): Record<string, LanguageSettings> {
  const written = Object.entries(setting<Record<string, LanguageSettings | boolean | null>>('languages') ?? {});
  return Object.fromEntries(written.map(([language, own]) => (
    [language, typeof own === 'boolean' ? { enabled: own } : own ?? {}]
  )));
}

/** Every language whose documents the server is told about: ours, and those that the user has named. */
export function languages(): string[] {
  return [...new Set([...LANGUAGES, ...Object.keys(languageSettings())])];
}

/** The documents that the server is told about. */
export function documentSelector(): { language: string; scheme: string }[] {
  return languages().flatMap((language) => SCHEMES.map((scheme) => ({ language, scheme })));
}

/** The document at the cursor, if it is one in which completions can be turned on: no output, no cell of a notebook. */
export function documentHere(): vscode.TextDocument | undefined {
  const document = vscode.window.activeTextEditor?.document;
  return document && SCHEMES.includes(document.uri.scheme) ? document : undefined;
}

/** Whether completions are wanted in a language. */
export function isOn(language: string): boolean {
  const isKnown = languages().includes(language);
  return isKnown && (languageSettings()[language]?.enabled ?? setting<boolean>('enabled') !== false);
}

/** Whether they are wanted in any; where not, the server loads no model. */
export function isAnyOn(): boolean {
  return setting<boolean>('enabled') !== false || Object.values(languageSettings()).some(({ enabled }) => enabled === true);
}

/** Turns completions of one language on or off. */
export async function turn(language: string, on: boolean): Promise<void> {
  const known = languageSettings();
  await changeSetting('languages', { ...known, [language]: { ...known[language], enabled: on } });
}

/** Turns them off in all languages, or on again, but for languages that were turned off themselves. */
export async function turnAll(on: boolean): Promise<void> {
  const known = Object.entries(languageSettings());
  if (known.some(([, { enabled }]) => enabled === true)) {
    await changeSetting('languages', Object.fromEntries(known.map(([language, { enabled, ...rest }]) => (
      [language, enabled === false ? { enabled, ...rest } : rest]
    ))));
  }
  await changeSetting('enabled', on);
}
