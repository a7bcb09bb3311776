// Ghost text, hovers, commands and code actions from a local hxqd. This file puts the parts together; server.ts is the heart.
import * as vscode from 'vscode';
import { registerCommands } from './commands.js';
import { Ghost } from './ghost.js';
import { Hovers } from './hover.js';
import { registerPages } from './pages.js';
import { Server } from './server.js';
import { documentSelector, isOn, languages, SECTION } from './settings.js';
import { Status } from './status.js';

// Tells the server what was copied: a hint at what the user is about to write. Nothing is changed in the clipboard.
function watchCopying(server: Server): vscode.Disposable {
  return vscode.languages.registerDocumentPasteEditProvider([{ scheme: 'file' }, { scheme: 'untitled' }], {
    prepareDocumentPaste(document, ranges) {
      if (!isOn(document.languageId)) return;
      const text = ranges.map((range) => document.getText(range)).join('\n');
      server.notify('hxqd/didYank', { text, uri: document.uri.toString() });
    },
  }, { copyMimeTypes: ['text/plain'], providedPasteEditKinds: [] });
}

// The server starts with the first document that it is about: other windows need no model.
function startWhenWanted(server: Server): void {
  const selector = documentSelector();
  if (vscode.workspace.textDocuments.some((document) => vscode.languages.match(selector, document) > 0)) server.startOnce();
}

// Menus offer commands where the language is one of these.
function tellLanguages(): void {
  void vscode.commands.executeCommand('setContext', 'hxqd.languages', languages());
}

// The server asks for its settings by itself; another program, or another list of languages, needs another server.
function watchSettings(server: Server, status: Status): vscode.Disposable {
  let known = String(languages());
  tellLanguages();
  return vscode.workspace.onDidChangeConfiguration((event) => {
    if (!event.affectsConfiguration(SECTION)) return;
    const isOther = event.affectsConfiguration(`${SECTION}.path`) || String(languages()) !== known;
    known = String(languages());
    tellLanguages();
    status.draw();
    if (isOther) server.renew();
    startWhenWanted(server);
  });
}

let server: Server | undefined;

export function activate(extension: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel('hxqd', { log: true });
  const status = new Status();
  const ghost = new Ghost(status);
  const hovers = new Hovers();
  const started = (server = new Server(extension, log, status, ghost, hovers));
  extension.subscriptions.push(
    log, status, ghost, hovers, registerPages(), registerCommands(extension, log, status, () => started.restart()),
    watchCopying(started), watchSettings(started, status), vscode.workspace.onDidGrantWorkspaceTrust(() => started.retry()),
    vscode.workspace.onDidOpenTextDocument(() => startWhenWanted(started)),
  );
  startWhenWanted(started);
}

export function deactivate(): Promise<void> | undefined {
  return server?.dispose();
}
