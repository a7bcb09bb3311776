// Ghost text, hovers, commands and code actions from a local hxqd. This file puts the parts together; server.ts is the heart.
import * as vscode from 'vscode';
import { registerCommands } from './commands.js';
import { Ghost } from './ghost.js';
import { registerPages } from './pages.js';
import { Server } from './server.js';
import { languages, SECTION } from './settings.js';
import { Status } from './status.js';

// Tells the server what was copied: a hint at what the user is about to write. Nothing is changed in the clipboard.
function watchCopying(server: Server): vscode.Disposable {
  return vscode.languages.registerDocumentPasteEditProvider(languages(), {
    prepareDocumentPaste(document, ranges) {
      const text = ranges.map((range) => document.getText(range)).join('\n');
      server.notify('hxqd/didYank', { text, uri: document.uri.toString() });
    },
  }, { copyMimeTypes: ['text/plain'], providedPasteEditKinds: [] });
}

// The server asks for its settings by itself; another program, or another list of languages, needs another server.
function watchSettings(server: Server, status: Status): vscode.Disposable {
  let known = String(languages());
  return vscode.workspace.onDidChangeConfiguration((event) => {
    if (!event.affectsConfiguration(SECTION)) return;
    const isOther = event.affectsConfiguration(`${SECTION}.path`) || String(languages()) !== known;
    known = String(languages());
    status.draw();
    if (isOther) void server.restart();
    else server.reconfigured();
  });
}

let server: Server | undefined;

export async function activate(extension: vscode.ExtensionContext): Promise<void> {
  const log = vscode.window.createOutputChannel('hxqd', { log: true });
  const status = new Status();
  const ghost = new Ghost(status);
  const started = (server = new Server(extension, log, status, ghost));
  extension.subscriptions.push(
    log, status, ghost, registerPages(), registerCommands(extension, log, status, () => started.restart()),
    watchCopying(started), watchSettings(started, status),
  );
  await started.restart();
}

export function deactivate(): Promise<void> | undefined {
  return server?.dispose();
}
