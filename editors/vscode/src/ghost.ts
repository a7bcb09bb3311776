// Ghost text on its way from the server to the editor: asked for, timed, and shown while it still grows.
//
// VS Code takes one answer to each question, has no way to lengthen it, and asks nobody twice about the same place of the same
// text. But it can go on to the next candidate, and asks for candidates whom it has not asked yet. So a text that takes long
// is answered with its beginning, and each time there is more, a provider is registered that knows it, in place of the one
// before, and the editor is told to go on to the next candidate, which that provider gives. All of it ends with the first
// edit or movement, and with Escape. An editor that does not ask the newcomer gets whole texts from then on.
import * as vscode from 'vscode';
import {
  InlineCompletionRequest, ProgressType, type InlineCompletionItem, type LanguageClient, type Middleware,
} from 'vscode-languageclient/node';
import { setting } from './settings.js';
import type { Status } from './status.js';

// A text that is finished by then is shown whole, at once.
const GROW_AFTER_MS = 200;

// Between two questions that lengthen a text.
const GROW_STEP_MS = 120;

// A slow editor may not show yet what it is to go on from; one that does not ask the newcomer so often in turn never will.
const REFUSALS_MAX = 5;

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
  /** Resolved by `settle`: nothing more will be shown. */
  readonly isOver: Promise<void>;
  settle: () => void = () => {};
  private provider: vscode.Disposable | undefined;
  private isAsked = false;
  /** The editor is being told to go on to the newest piece. */
  isShowing = false;

  constructor(readonly document: vscode.TextDocument, readonly position: vscode.Position) {
    this.version = document.version;
    this.firstPiece = new Promise((resolve) => (this.onPiece = resolve));
    this.isOver = new Promise((resolve) => (this.settle = resolve));
  }

  take(pieces: InlineCompletionItem[]): void {
    this.pieces = pieces;
    if (pieces.length > 0) this.onPiece();
  }

  // The text so far.
  text(): string {
    return JSON.stringify(this.pieces[0]?.insertText ?? '');
  }

  // There is something to show, and it is time to.
  async begun(): Promise<void> {
    await Promise.all([this.firstPiece, sleep(GROW_AFTER_MS)]);
  }

  // Makes the editor show the newest piece by one of its commands; false where it does not ask for it. `convert` turns the
  // server's items into the editor's.
  async show(command: string, convert: (items: InlineCompletionItem[]) => Promise<Answer>): Promise<boolean> {
    const previous = this.provider;
    this.isAsked = false;
    this.provider = vscode.languages.registerInlineCompletionItemProvider(
      { language: this.document.languageId, scheme: this.document.uri.scheme },
      { provideInlineCompletionItems: (document, position) => {
        this.isAsked = true;
        return this.isAbout(document, position) ? convert(this.pieces) : null;
      } },
    );
    this.isShowing = true;
    await vscode.commands.executeCommand(command);
    this.isShowing = false;
    previous?.dispose();
    return this.isAsked;
  }

  end(): void {
    this.source.cancel();
    this.provider?.dispose();
    this.settle();
  }

  // Whether it is for this place, and still wanted.
  isAbout(document: vscode.TextDocument, position: vscode.Position): boolean {
    return this.document === document && this.position.isEqual(position) && this.fits();
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
  private refusals = 0;
  private requests = 0;

  constructor(private readonly status: Status) {}

  dispose(): void {
    this.end();
    this.watchers.forEach((watcher) => watcher.dispose());
  }

  /** Stands between the editor and `client()`. */
  middleware(client: () => LanguageClient): Required<Pick<Middleware, 'provideInlineCompletionItems'>> {
    return {
      provideInlineCompletionItems: (document, position, context, token, next) => {
        const isAutomatic = context.triggerKind === vscode.InlineCompletionTriggerKind.Automatic;
        // What grows has a provider of its own, until the user asks for other texts.
        if (this.growth?.isAbout(document, position) && (isAutomatic || this.growth.isShowing)) return null;
        this.end();
        const mayGrow = this.canGrow() && isAutomatic && !context.selectedCompletionInfo &&
          vscode.window.activeTextEditor?.document === document && setting<boolean>('growingText') !== false;
        const answer = mayGrow
          ? this.grow(client(), document, position, context, token)
          : Promise.resolve(next(document, position, context, token));
        return this.status.during(this.timed(answer));
      },
    };
  }

  private canGrow(): boolean {
    return this.refusals < REFUSALS_MAX;
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
    void this.status.during(growth.isOver);
    const partialResultToken = `hxqd/ghost/${++this.requests}`;
    const listener = client.onProgress(PIECES, partialResultToken, (pieces) => growth.take(pieces));
    const watcher = token.onCancellationRequested(() => growth.source.cancel());

    const params = client.code2ProtocolConverter.asInlineCompletionParams(document, position, context);
    const reply = client.sendRequest(InlineCompletionRequest.type, { ...params, partialResultToken }, growth.source.token)
      .then((result) => {
        growth.pieces = Array.isArray(result) ? result : (result?.items ?? []);
      }, () => undefined) // cancelled: what has come by then is what there is
      .finally(() => {
        growth.isFinished = true;
        listener.dispose();
      });
    try {
      await Promise.race([reply, growth.begun()]);
    } finally {
      watcher.dispose();
    }

    if (growth.isFinished || token.isCancellationRequested) this.end(growth);
    else void this.renew(client, growth, reply).finally(() => growth.settle());
    if (token.isCancellationRequested) return null;
    return client.protocol2CodeConverter.asInlineCompletionResult(growth.pieces);
  }

  // Shows what comes, until all of it is shown or nobody wants it any more.
  private async renew(client: LanguageClient, growth: Growth, reply: Promise<void>): Promise<void> {
    let shown = growth.text();
    await vscode.commands.executeCommand('setContext', 'hxqd.isGrowing', true);
    const convert = (items: InlineCompletionItem[]) => client.protocol2CodeConverter.asInlineCompletionResult(items);
    while (growth.fits() && !(growth.isFinished && shown === growth.text())) {
      await (this.canGrow() ? Promise.race([reply, sleep(GROW_STEP_MS)]) : reply);
      const text = growth.text();
      if (!growth.fits() || shown === text) continue;
      const isAsked = await growth.show('editor.action.inlineSuggest.showNext', convert);
      this.refusals = isAsked ? 0 : this.refusals + 1;
      if (isAsked) shown = text;
      else if (growth.isFinished && growth.fits()) {
        await this.showAfresh(growth, convert);
        shown = text;
      }
    }
    if (growth === this.growth) await vscode.commands.executeCommand('setContext', 'hxqd.isGrowing', false);
  }

  // The whole text in an editor that does not ask twice: it forgets what it shows, and then asks.
  private async showAfresh(growth: Growth, convert: (items: InlineCompletionItem[]) => Promise<Answer>): Promise<void> {
    await vscode.commands.executeCommand('editor.action.inlineSuggest.hide');
    await growth.show('editor.action.inlineSuggest.trigger', convert);
  }

  private endOutdated(): void {
    if (this.growth && !this.growth.fits()) this.end();
  }

  // No more of a text is wanted; of the current one unless another is named.
  private end(growth = this.growth): void {
    growth?.end();
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
