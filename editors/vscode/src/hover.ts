// Hovers in two parts: what syntax knows at once, and the model's explanation as soon as it is written.
//
// VS Code asks all providers of hovers at the same time and shows each one's answer when it comes, but takes one answer from
// each. So two providers share one question to the server, which is answered in pieces: the client's own gives the first
// piece, the one registered here what the whole has beyond that. The client registers later, which places its part on top.
import * as vscode from 'vscode';
import {
  HoverRequest, MarkupContent, ProgressType, type Hover, type LanguageClient, type Middleware,
} from 'vscode-languageclient/node';
import { documentSelector } from './settings.js';

const PIECES = new ProgressType<Hover>();

type Part = 'facts' | 'explanation';

function textOf(hover: Hover): string {
  return MarkupContent.is(hover.contents) ? hover.contents.value : '';
}

// One question to the server about one place of one version of a document.
class Question {
  private readonly source = new vscode.CancellationTokenSource();
  private readonly version: number;
  private readonly asked = new Set<Part>();
  private readonly first: Promise<Hover | null>;
  private readonly whole: Promise<Hover | null>;

  constructor(
    client: LanguageClient, private readonly document: vscode.TextDocument, private readonly position: vscode.Position,
    partialResultToken: string,
  ) {
    this.version = document.version;
    let onPiece: (piece: Hover) => void = () => {};
    const piece = new Promise<Hover>((resolve) => (onPiece = resolve));
    const listener = client.onProgress(PIECES, partialResultToken, (value) => onPiece(value));

    const place = client.code2ProtocolConverter.asTextDocumentPositionParams(document, position);
    const params = { ...place, partialResultToken };
    this.whole = client.sendRequest(HoverRequest.type, params, this.source.token)
      .catch(() => null) // cancelled
      .finally(() => listener.dispose());
    this.first = Promise.race([piece, this.whole]);
  }

  // Whether the question is the one that a provider asks now; each part is asked for once.
  isFor(part: Part, document: vscode.TextDocument, position: vscode.Position): boolean {
    return this.document === document && this.document.version === this.version && this.position.isEqual(position) &&
      !this.asked.has(part) && !this.source.token.isCancellationRequested;
  }

  async answer(part: Part, token: vscode.CancellationToken): Promise<Hover | null> {
    this.asked.add(part);
    const watcher = token.onCancellationRequested(() => this.source.cancel());
    try {
      return await (part === 'facts' ? this.first : this.explanation());
    } finally {
      watcher.dispose();
    }
  }

  // What the whole hover says below its first piece and the rule behind that.
  private async explanation(): Promise<Hover | null> {
    const [first, whole] = await Promise.all([this.first, this.whole]);
    if (!first || !whole || first === whole || !textOf(whole).startsWith(textOf(first))) return null;
    const value = textOf(whole).slice(textOf(first).length).replace(/^\s*(---)?\s*/, '');
    return value === '' ? null : { ...whole, contents: { kind: 'markdown', value } };
  }
}

export class Hovers implements vscode.Disposable {
  private readonly registration = vscode.languages.registerHoverProvider([{ scheme: 'file' }, { scheme: 'untitled' }], {
    provideHover: (document, position, token) =>
      (vscode.languages.match(documentSelector(), document) > 0 ? this.ask('explanation', document, position, token) : null),
  });
  private client: (() => LanguageClient) | undefined;
  private question: Question | undefined;
  private questions = 0;

  dispose(): void {
    this.registration.dispose();
  }

  /** Stands between the editor and `client()`. */
  middleware(client: () => LanguageClient): Required<Pick<Middleware, 'provideHover'>> {
    this.client = client;
    return { provideHover: (document, position, token) => this.ask('facts', document, position, token) };
  }

  // One part of the answer to the question that both providers ask.
  private async ask(
    part: Part, document: vscode.TextDocument, position: vscode.Position, token: vscode.CancellationToken,
  ): Promise<vscode.Hover | null | undefined> {
    const client = this.client?.();
    if (!client?.isRunning()) return null;
    if (!this.question?.isFor(part, document, position)) {
      this.question = new Question(client, document, position, `hxqd/hover/${++this.questions}`);
    }
    return client.protocol2CodeConverter.asHover(await this.question.answer(part, token));
  }
}
