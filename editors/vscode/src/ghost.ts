// Ghost text on its way from the server to the editor: asked for, timed, and shown while it still grows.
//
// VS Code takes one answer to each question and has no way to lengthen it. So a text that takes long is answered with its
// beginning, and the editor is made to ask again whenever there is more; those questions are answered from what has come so
// far, without the server. All of it ends with the first edit or movement, and with Escape.
import * as vscode from 'vscode';
import {
  InlineCompletionRequest, ProgressType, type InlineCompletionItem, type LanguageClient, type Middleware,
} from 'vscode-languageclient/node';
import { isOn, setting } from './settings.js';
import type { Status } from './status.js';

// A text that is finished by then is shown whole, at once.
const GROW_AFTER_MS = 200;

// Between two questions that lengthen a text.
const GROW_STEP_MS = 120;

const PIECES = new ProgressType<InlineCompletionItem[]>();

type Answer = vscode.InlineCompletionItem[] | vscode.InlineCompletionList | null | undefined;

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

// A text that is being written for one place of one version of a document.
class Growth {
  readonly source = new vscode.CancellationTokenSource();
  private readonly version: number;
  private readonly firstPiece: Promise<void>;
  private onPiece: () => void = () => {};
  pieces: InlineCompletionItem[] = [];
  isFinished = false;

  constructor(readonly document: vscode.TextDocument, readonly position: vscode.Position) {
    this.version = document.version;
    this.firstPiece = new Promise((resolve) => (this.onPiece = resolve));
  }

  take(pieces: InlineCompletionItem[]): void {
    this.pieces = pieces;
    if (pieces.length > 0) this.onPiece();
  }

  // There is something to show, and it is time to.
  async begun(): Promise<void> {
    await Promise.all([this.firstPiece, sleep(GROW_AFTER_MS)]);
  }

  // Whether the question that it answers is still the question.
  fits(): boolean {
    const editor = vscode.window.activeTextEditor;
    return !this.source.token.isCancellationRequested && editor?.document === this.document &&
      this.document.version === this.version && editor.selection.isEmpty && editor.selection.active.isEqual(this.position);
  }
}

export class Ghost implements vscode.Disposable {
  private readonly watchers = [
    vscode.window.onDidChangeTextEditorSelection(() => this.endOutdated()),
    vscode.window.onDidChangeActiveTextEditor(() => this.endOutdated()),
    vscode.workspace.onDidChangeTextDocument(() => this.endOutdated()),
    vscode.commands.registerCommand('hxqd.dismiss', () => this.dismiss()),
  ];
  private growth: Growth | undefined;
  private requests = 0;

  constructor(private readonly status: Status) {}

  dispose(): void {
    this.end();
    this.watchers.forEach((watcher) => watcher.dispose());
  }

  /** Stands between the editor and `client()`. */
  middleware(client: () => LanguageClient): Pick<Middleware, 'provideInlineCompletionItems'> {
    return {
      provideInlineCompletionItems: (document, position, context, token, next) => {
        if (!isOn(document.languageId)) return null;
        const growth = this.growth;
        if (growth?.fits() && growth.document === document && growth.position.isEqual(position)) {
          if (growth.isFinished) this.end();
          return client().protocol2CodeConverter.asInlineCompletionResult(growth.pieces);
        }
        this.end();
        const mayGrow = setting<boolean>('growingText') !== false && !context.selectedCompletionInfo &&
          context.triggerKind === vscode.InlineCompletionTriggerKind.Automatic;
        const answer = mayGrow
          ? this.grow(client(), document, position, context, token)
          : Promise.resolve(next(document, position, context, token));
        return this.status.during(this.timed(answer));
      },
    };
  }

  // Notes how long an answer took that has something to show.
  private async timed(answer: Promise<Answer>): Promise<Answer> {
    const begin = performance.now();
    const result = await answer;
    const count = Array.isArray(result) ? result.length : (result?.items.length ?? 0);
    if (count > 0) this.status.answered(performance.now() - begin);
    return result;
  }

  // Asks the server for a text in pieces. The whole text, if it comes soon, or its beginning.
  private async grow(
    client: LanguageClient, document: vscode.TextDocument, position: vscode.Position, context: vscode.InlineCompletionContext,
    token: vscode.CancellationToken,
  ): Promise<Answer> {
    const growth = (this.growth = new Growth(document, position));
    const partialResultToken = `hxqd/ghost/${++this.requests}`;
    const listener = client.onProgress(PIECES, partialResultToken, (pieces) => growth.take(pieces));
    const watcher = token.onCancellationRequested(() => growth.source.cancel());

    const params = client.code2ProtocolConverter.asInlineCompletionParams(document, position, context);
    const reply = client.sendRequest(InlineCompletionRequest.type, { ...params, partialResultToken }, growth.source.token)
      .then((result) => {
        growth.pieces = Array.isArray(result) ? result : (result?.items ?? []);
      }, (error) => {
        growth.pieces = client.handleFailedRequest(InlineCompletionRequest.type, growth.source.token, error, []);
      })
      .finally(() => {
        growth.isFinished = true;
        listener.dispose();
      });
    try {
      await Promise.race([reply, growth.begun()]);
    } finally {
      watcher.dispose();
    }

    if (token.isCancellationRequested) return null;
    if (growth.isFinished) this.end(growth);
    else void this.renew(growth, reply);
    return client.protocol2CodeConverter.asInlineCompletionResult(growth.pieces);
  }

  // Makes the editor ask again while there is more to show. The answer with the whole text ends it.
  private async renew(growth: Growth, reply: Promise<void>): Promise<void> {
    await vscode.commands.executeCommand('setContext', 'hxqd.isGrowing', true);
    for (let shown = growth.pieces; growth.fits() && !(growth.isFinished && shown === growth.pieces); ) {
      await Promise.race([reply, sleep(GROW_STEP_MS)]).catch(() => undefined);
      if (!growth.fits() || shown === growth.pieces) continue;
      shown = growth.pieces;
      await vscode.commands.executeCommand('editor.action.inlineSuggest.trigger');
    }
  }

  private endOutdated(): void {
    if (this.growth && !this.growth.fits()) this.end();
  }

  // No more of a text is wanted; of the current one unless another is named.
  private end(growth = this.growth): void {
    growth?.source.cancel();
    if (!growth || growth !== this.growth) return;
    this.growth = undefined;
    void vscode.commands.executeCommand('setContext', 'hxqd.isGrowing', false);
  }

  // Escape, while a text grows: what the editor does on Escape, and no more of the text.
  private async dismiss(): Promise<void> {
    this.end();
    await vscode.commands.executeCommand('editor.action.inlineSuggest.hide');
  }
}
