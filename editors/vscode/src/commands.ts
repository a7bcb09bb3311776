// What the user asks for by name. The server's own commands are registered by the client as soon as a server says which it
// has; here they get the place that they are about, and their results a page to be read on.
import * as vscode from 'vscode';
import {
  ExecuteCommandRequest, type LanguageClient, type Middleware,
} from 'vscode-languageclient/node';
import { told } from './mending.js';
import { showPage } from './pages.js';
import { changeSetting, documentHere, isAnyOn, isOn, turn, turnAll } from './settings.js';
import type { Status } from './status.js';

// Commands about a place in the document.
const ABOUT_A_PLACE = ['hxqd.generate', 'hxqd.document', 'hxqd.explain', 'hxqd.fix', 'hxqd.test'];

// What `hxqd.showPrompt` answers.
interface Prompt {
  text: string | null;
  tokens: Record<string, number>;
  reused: number | null;
  files: { path: string; why: string; tokens: number }[];
  workspace: { files: number; definitions: number };
}

// The argument of a command that was asked for without one; undefined where the user thought better of it.
async function argumentFor(command: string, client: LanguageClient): Promise<object | undefined> {
  const editor = vscode.window.activeTextEditor;
  if (!editor) {
    void vscode.window.showInformationMessage('Open a file and put the cursor where it is about.');
    return undefined;
  }
  const { document, selection } = editor;
  const converter = client.code2ProtocolConverter;
  const place = selection.isEmpty
    ? { position: converter.asPosition(selection.active) }
    : { range: converter.asRange(selection) };
  const about = { textDocument: converter.asTextDocumentIdentifier(document), ...place };

  if (command === 'hxqd.generate') {
    const instruction = await vscode.window.showInputBox({
      title: 'hxqd: Generate', prompt: 'What is to be written? Leave it empty where the comment at the cursor says so.',
    });
    return instruction === undefined ? undefined : instruction.trim() ? { ...about, instruction } : about;
  }
  if (command === 'hxqd.fix') {
    const problem = vscode.languages.getDiagnostics(document.uri).find(({ range }) => range.intersection(selection));
    if (!problem) {
      void vscode.window.showInformationMessage('There is no problem at the cursor to fix.');
      return undefined;
    }
    return { ...about, range: converter.asRange(problem.range), diagnostic: { message: problem.message } };
  }
  return about;
}

function describePrompt(prompt: Prompt): string {
  const parts = Object.entries(prompt.tokens).map(([name, count]) => `${name} ${count}`).join(', ');
  const files = prompt.files.map(({ path, why, tokens }) => `- ${path} (${why}, ${tokens} tokens)`);
  return [
    '# What the model was given last', '',
    `Tokens: ${parts}; known before: ${prompt.reused ?? 'stopped while it read them'}.`,
    `Workspace: ${prompt.workspace.files} files, ${prompt.workspace.definitions} definitions looked through.`, '',
    ...(files.length > 0 ? ['Other files:', '', ...files, ''] : []),
    '````', prompt.text ?? '(nothing was asked yet)', '````', '',
  ].join('\n');
}

/** Runs the server's commands for palette and menus, and has code actions written. */
export function commandMiddleware(
  client: () => LanguageClient, status: Status,
): Required<Pick<Middleware, 'executeCommand' | 'resolveCodeAction'>> {
  const executeCommand: Middleware['executeCommand'] = async (command, args) => {
    let [argument] = args as { textDocument?: object; show?: boolean }[];
    if (ABOUT_A_PLACE.includes(command) && !argument?.textDocument) {
      argument = (await argumentFor(command, client())) as typeof argument;
      if (!argument) return undefined;
    }
    if (command === 'hxqd.explain') argument = { ...argument, show: false };

    const params = { command, arguments: argument === undefined ? [] : [argument] };
    const result = await told(status.during(client().sendRequest(ExecuteCommandRequest.type, params)));
    if (result && command === 'hxqd.explain') await showPage('Explanation.md', `${result.text}\n`);
    if (result && command === 'hxqd.showPrompt') await showPage('Prompt.md', describePrompt(result));
    return result;
  };
  return {
    executeCommand,
    resolveCodeAction: (action, token, next) => told(status.during(Promise.resolve(next(action, token)))),
  };
}

async function chooseProgram(): Promise<void> {
  const [chosen] = (await vscode.window.showOpenDialog({ title: 'The program hxqd', openLabel: 'Use This Program' })) ?? [];
  if (chosen) await changeSetting('path', chosen.fsPath);
}

async function chooseModel(): Promise<void> {
  const [chosen] = (await vscode.window.showOpenDialog({
    title: 'A checkpoint: the folder with config.json, tokenizer.json and model.safetensors',
    openLabel: 'Use This Model', canSelectFiles: false, canSelectFolders: true,
  })) ?? [];
  if (chosen) await changeSetting('model', chosen.fsPath);
}

async function toggleHere(): Promise<void> {
  const language = documentHere()?.languageId;
  if (language) await turn(language, !isOn(language));
}

// The menu of the status-bar item.
async function showMenu(status: Status): Promise<void> {
  const language = documentHere()?.languageId;
  const here = language
    ? [{ label: `$(symbol-boolean) Turn ${isOn(language) ? 'Off' : 'On'} for ${language}`, command: 'hxqd.toggleLanguage' }]
    : [];
  const entries: (vscode.QuickPickItem & { command: string })[] = [
    ...here,
    { label: `$(circle-slash) Turn ${isAnyOn() ? 'Off Everywhere' : 'On Again'}`, command: 'hxqd.toggle' },
    ...(status.isReady() ? [{ label: '$(eye) Show Prompt', command: 'hxqd.showPrompt' }] : []),
    { label: '$(debug-restart) Restart', command: 'hxqd.restart' },
    { label: '$(output) Show Log', command: 'hxqd.showLog' },
    { label: '$(folder-opened) Choose Model Folder…', command: 'hxqd.chooseModel' },
    { label: '$(file-binary) Choose Program…', command: 'hxqd.chooseProgram' },
    { label: '$(gear) Settings', command: 'hxqd.openSettings' },
  ];
  const chosen = await vscode.window.showQuickPick(entries, { title: 'hxqd' });
  if (chosen) await vscode.commands.executeCommand(chosen.command);
}

/** The commands that work without a server. */
export function registerCommands(
  extension: vscode.ExtensionContext, log: vscode.LogOutputChannel, status: Status, restart: () => Promise<void>,
): vscode.Disposable {
  const run = vscode.commands.executeCommand;
  const table: Record<string, () => unknown> = {
    'hxqd.menu': () => showMenu(status),
    'hxqd.restart': restart,
    'hxqd.toggle': () => turnAll(!isAnyOn()),
    'hxqd.toggleLanguage': toggleHere,
    'hxqd.showLog': () => log.show(true),
    'hxqd.chooseProgram': chooseProgram,
    'hxqd.chooseModel': chooseModel,
    'hxqd.openSettings': () => run('workbench.action.openSettings', `@ext:${extension.extension.id}`),
    'hxqd.walkthrough': () => run('workbench.action.openWalkthrough', `${extension.extension.id}#hxqd.start`, false),
  };
  const registered = Object.entries(table).map(([name, action]) => vscode.commands.registerCommand(name, action));
  return vscode.Disposable.from(...registered);
}
