// The program hxqd as a language server: started, watched, started again.
//
// A process holds a whole model, so one serves a window. It is started anew when another program is named, and after it died,
// unless it keeps dying.
import * as vscode from 'vscode';
import {
  CloseAction, ErrorAction, ExecuteCommandRequest, LanguageClient, MessageType, RevealOutputChannelOn, ShowMessageNotification,
  type CloseHandlerResult, type LanguageClientOptions,
} from 'vscode-languageclient/node';
import { commandMiddleware } from './commands.js';
import type { Ghost } from './ghost.js';
import type { Hovers } from './hover.js';
import { reportCrash, reportNoModel, reportNoProgram, reportNoStart } from './mending.js';
import { findProgram, NoProgram } from './program.js';
import { documentSelector, serverOptions } from './settings.js';
import type { Status } from './status.js';

// A server that dies more often than this within the window stays off.
const RESTARTS_MAX = 3;
const DEATHS_WINDOW_MS = 3 * 60 * 1000;

// How often a server is asked whether its model is there, and while it works, whether that is another one.
const LOADING_STEP_MS = 300;
const FACTS_STEP_MS = 3000;

// The settings of a remote machine may come a moment after this extension was started; one of them may name the program.
const LATE_SETTINGS_MS = 2000;

const STOP_MS = 5000;

// What `hxqd.debug.stats` tells that is of interest here.
interface Stats {
  state: 'unasked' | 'off' | 'loading' | 'ready' | 'failed';
  model: string | null;
  device: string | null;
}

// A client that leaves it to this extension to tell the user what went wrong.
class QuietClient extends LanguageClient {
  override error(message: string, data?: unknown): void {
    super.error(message, data, false);
  }
}

export class Server implements vscode.Disposable {
  private client: LanguageClient | undefined;
  private deaths: number[] = [];
  private watches = 0;
  private factsAt = 0;
  private isStarted = false;
  private attempts = 0;
  private telling: NodeJS.Timeout | undefined;
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly extension: vscode.ExtensionContext, private readonly log: vscode.LogOutputChannel,
    private readonly status: Status, private readonly ghost: Ghost, private readonly hovers: Hovers,
  ) {}

  /** Ends the server in peace; the editor waits for it. */
  dispose(): Promise<void> {
    this.interrupt();
    return this.inTurn(() => this.stop());
  }

  /** Starts the server, a running one anew. Problems are shown to the user. */
  restart(): Promise<void> {
    this.deaths = [];
    return this.startAnew();
  }

  /** Starts the server, unless that was tried before. */
  startOnce(): void {
    if (!this.isStarted) void this.restart();
  }

  /** Another program or other documents: a server that was started is started anew. */
  renew(): void {
    if (this.isStarted) void this.restart();
  }

  /** Looks again for the program where there was none. */
  retry(): void {
    if (!this.client) this.renew();
  }

  /** Tells the server about something; nothing where none runs. */
  notify(method: string, params: object): void {
    if (this.client?.isRunning()) this.client.sendNotification(method, params).catch((error) => this.log.warn(String(error)));
  }

  private startAnew(): Promise<void> {
    this.isStarted = true;
    this.interrupt();
    const attempt = this.attempts;
    return this.inTurn(async () => {
      await this.stop();
      if (attempt === this.attempts) await this.start(attempt);
    });
  }

  // Puts an end to the attempts to start that are under way or wait for their turn. A server that does not answer would hold up
  // all others: a client that is told to go before it runs kills its server.
  private interrupt(): void {
    this.attempts++;
    if (this.client && !this.client.isRunning()) this.client.dispose().catch(() => undefined);
  }

  // One start or stop after the other.
  private inTurn(action: () => Promise<void>): Promise<void> {
    this.turn = this.turn.then(action).catch((error) => this.log.error(String(error)));
    return this.turn;
  }

  private async stop(): Promise<void> {
    clearTimeout(this.telling);
    this.watches++;
    const client = this.client;
    this.client = undefined;
    if (client?.isRunning()) await client.dispose(STOP_MS).catch((error) => this.log.warn(String(error)));
    this.status.enter('stopped');
  }

  private async start(attempt: number): Promise<void> {
    this.status.enter('starting');
    try {
      const program = await findProgram(this.extension);
      if (attempt !== this.attempts) return;
      this.log.info(`${program.version}: ${program.path}`);
      this.status.runs(program.version);
      const client = this.createClient(program.path);
      this.client = client;
      await client.start();
    } catch (error) {
      if (attempt !== this.attempts) return;
      const problem = error instanceof Error ? error.message : String(error);
      this.log.error(problem);
      if (error instanceof NoProgram) this.telling = setTimeout(() => this.tellNoProgram(problem), LATE_SETTINGS_MS);
      else this.tellNoStart(problem);
    }
  }

  private tellNoStart(problem: string): void {
    this.status.enter('failed', problem);
    reportNoStart(problem);
  }

  private tellNoProgram(problem: string): void {
    this.status.enter('failed', problem);
    reportNoProgram(problem);
  }

  private createClient(command: string): LanguageClient {
    const options = () => serverOptions(this.extension.extension.packageJSON);
    const ghost = this.ghost.middleware(() => client).provideInlineCompletionItems;
    const client: LanguageClient = new QuietClient('hxqd', 'hxqd', { command, args: ['serve', '--stdio'] }, {
      documentSelector: documentSelector(),
      outputChannel: this.log,
      revealOutputChannelOn: RevealOutputChannelOn.Never,
      // Every line of the server's log looks like an error otherwise: it goes to the same stream.
      stdioOptions: {
        stdout: () => undefined,
        stderr: (input, log) => input.setEncoding('utf8').on('data', (lines: string) => log.info(lines.trimEnd())),
      },
      errorHandler: {
        error: () => ({ action: ErrorAction.Continue, handled: true }), // what cannot be mended closes the connection
        closed: () => this.closed(client),
      },
      initializationFailedHandler: () => false,
      middleware: {
        provideInlineCompletionItems: async (...question) => {
          const answer = await ghost(...question);
          void this.renewFacts(client);
          return answer;
        },
        ...this.hovers.middleware(() => client),
        ...commandMiddleware(() => client, this.status),
        // Asked for at the beginning and after each change. Not with the defaults of package.json, which would hide what other
        // sources say, and not as initialization options, which would outlive a setting that is taken back.
        // Then the server knows whether it is to load another model.
        workspace: {
          configuration: ({ items }) => {
            void this.watchLoading(client);
            return items.map(({ section }) => (section === 'hxqd' ? options() : null));
          },
        },
      },
    } satisfies LanguageClientOptions);
    client.onNotification(ShowMessageNotification.type, ({ type, message }) => this.tell(type, message));
    return client;
  }

  // The server has gone without being asked to. Of one that had not served yet start() tells.
  private closed(client: LanguageClient): CloseHandlerResult {
    if (client === this.client && client.isRunning()) this.revive();
    return { action: CloseAction.DoNotRestart, message: 'The server stopped.', handled: true };
  }

  // Starts another server for one that died, from the beginning: the program may be another one now, or none.
  private revive(): void {
    this.watches++;
    this.client = undefined;
    const now = Date.now();
    this.deaths = [...this.deaths.filter((death) => now - death < DEATHS_WINDOW_MS), now];
    if (this.deaths.length > RESTARTS_MAX) {
      this.status.enter('failed', 'the server keeps stopping');
      reportCrash(false);
      return;
    }
    void this.startAnew().then(() => {
      if (this.client?.isRunning()) reportCrash(true);
    });
  }

  private async facts(client: LanguageClient): Promise<Stats> {
    this.factsAt = Date.now();
    return client.sendRequest(ExecuteCommandRequest.type, { command: 'hxqd.debug.stats' })
      .catch(() => ({ state: 'unasked', model: null, device: null }));
  }

  // Until the model is there, or is known not to come: what failed is told by a message of the server's.
  private async watchLoading(client: LanguageClient): Promise<void> {
    const watch = ++this.watches;
    for (let waitMs = 0; watch === this.watches; waitMs = LOADING_STEP_MS) {
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      const state = await this.renewStatus(client);
      if (state !== 'unasked' && state !== 'loading') return;
    }
  }

  private async renewStatus(client: LanguageClient): Promise<Stats['state']> {
    const { state, model, device } = await this.facts(client);
    if (client !== this.client) return state;
    if (state === 'ready') this.status.loaded(model ?? '', device ?? '');
    else if (state === 'loading' || state === 'off') this.status.enter(state);
    return state;
  }

  // Now and then, whether the model or its device is another one.
  private async renewFacts(client: LanguageClient): Promise<void> {
    if (this.status.isReady() && Date.now() - this.factsAt >= FACTS_STEP_MS) await this.renewStatus(client);
  }

  // The server's own messages; an error is about the model.
  private tell(type: MessageType, message: string): void {
    if (type === MessageType.Error) {
      this.status.enter('failed', message);
      reportNoModel(message);
    } else if (type === MessageType.Warning) {
      void vscode.window.showWarningMessage(message);
    } else {
      void vscode.window.showInformationMessage(message);
    }
  }
}
