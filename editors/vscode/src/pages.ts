// Read-only pages beside the code, for what the server tells: explanations and prompts.
import * as vscode from 'vscode';

const SCHEME = 'hxqd';

const texts = new Map<string, string>();
const changed = new vscode.EventEmitter<vscode.Uri>();

export function registerPages(): vscode.Disposable {
  return vscode.Disposable.from(changed, vscode.workspace.registerTextDocumentContentProvider(SCHEME, {
    onDidChange: changed.event,
    provideTextDocumentContent: (uri) => texts.get(uri.path) ?? '',
  }));
}

/** Shows `text` under a name such as "Prompt.md", where pages are shown; a page of that name is renewed. */
export async function showPage(name: string, text: string): Promise<void> {
  const uri = vscode.Uri.from({ scheme: SCHEME, path: name });
  texts.set(uri.path, text);
  changed.fire(uri);
  const document = await vscode.workspace.openTextDocument(uri);
  const other = vscode.window.visibleTextEditors.find((editor) => editor.document.uri.scheme === SCHEME);
  const viewColumn = other?.viewColumn ?? vscode.ViewColumn.Beside;
  await vscode.window.showTextDocument(document, { viewColumn, preview: true, preserveFocus: true });
}
