// What went wrong, said with buttons that mend it.
import * as vscode from 'vscode';
import { changeSetting, setting } from './settings.js';

// The smallest context that is any use.
const CONTEXT_LEAST = 1024;

// A button and what it does.
type Remedy = [title: string, mend: () => unknown];

const showLog: Remedy = ['Show Log', () => vscode.commands.executeCommand('hxqd.showLog')];
const restart: Remedy = ['Restart', () => vscode.commands.executeCommand('hxqd.restart')];
const chooseModel: Remedy = ['Choose Model Folder…', () => vscode.commands.executeCommand('hxqd.chooseModel')];
const chooseProgram: Remedy = ['Choose File…', () => vscode.commands.executeCommand('hxqd.chooseProgram')];

/** What `work` gives; a failure is told in its own words, and gives nothing. */
export async function told<T>(work: PromiseLike<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof vscode.CancellationError)) {
      void vscode.window.showWarningMessage(`hxqd: ${error instanceof Error ? error.message : error}`);
    }
    return undefined;
  }
}

async function offer(
  show: (message: string, ...titles: string[]) => Thenable<string | undefined>, message: string, remedies: Remedy[],
): Promise<void> {
  const chosen = await show(message, ...remedies.map(([title]) => title));
  await told(Promise.resolve(remedies.find(([title]) => title === chosen)?.[1]()));
}

export function reportNoProgram(problem: string): void {
  void offer(vscode.window.showErrorMessage, `${problem}. What completes code is the program hxqd; this extension shows what it says.`, [
    chooseProgram,
    ['How to Get It', () => vscode.commands.executeCommand('hxqd.walkthrough')],
  ]);
}

export function reportNoStart(problem: string): void {
  void offer(vscode.window.showErrorMessage, `hxqd does not start: ${problem}`, [restart, chooseProgram, showLog]);
}

export function reportCrash(isRestarted: boolean): void {
  if (isRestarted) {
    void offer(vscode.window.showWarningMessage, 'hxqd stopped and was started again.', [showLog]);
  } else {
    void offer(vscode.window.showErrorMessage, 'hxqd keeps stopping and stays off.', [restart, showLog]);
  }
}

// What may help a context that is too large for the model or for the memory.
function shortenContext(cause: string): Remedy[] {
  const [, asked, isOfModel] = cause.match(/a context of (\d+) tokens( is more than the model's)?/) ?? [];
  if (isOfModel) return [["Use the Model's Own Context", () => changeSetting('context.tokens', 0)]];
  if (!asked || Number(asked) <= CONTEXT_LEAST) return [];
  const smaller = Math.max(CONTEXT_LEAST, Math.floor(Number(asked) / 2));
  return [[`Context of ${smaller} Tokens`, () => changeSetting('context.tokens', smaller)]];
}

/** The model cannot be used; the server's sentence says why, and decides what may help. */
export function reportNoModel(problem: string): void {
  // The buttons stand for what the sentence advises on the command line.
  const cause = problem.replace(/;[^;]* --[a-z][^;]*$/, '');
  const remedies: Remedy[] = [];
  if (/gpu|cuda|--device cpu/i.test(problem) && setting<string>('device') !== 'cpu') {
    remedies.push(['Use the CPU', () => changeSetting('device', 'cpu')]);
  }
  remedies.push(...shortenContext(cause), chooseModel);
  if (setting<string>('model')) remedies.push(['Use the Built-in Model', () => changeSetting('model', undefined)]);
  void offer(vscode.window.showErrorMessage, `hxqd cannot use the model: ${cause}`, [...remedies, showLog]);
}
