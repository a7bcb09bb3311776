// The status-bar item: which model runs on what, how long the last answer took, whether it is at work or off.
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { documentHere, isOn } from './settings.js';

export type Phase = 'stopped' | 'starting' | 'loading' | 'off' | 'ready' | 'failed';

// Work shorter than this is not shown: at every key something is asked.
const BUSY_AFTER_MS = 150;

// The folder in which the program's own model lies.
const BUILT_IN_FOLDER = 'default_model';

export class Status implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem('hxqd.status', vscode.StatusBarAlignment.Right, 100);
  private readonly watchers = [
    vscode.window.onDidChangeActiveTextEditor(() => this.draw()),
    vscode.workspace.onDidOpenTextDocument(() => this.draw()), // as happens when a document gets another language
  ];
  private phase: Phase = 'stopped';
  private problem = '';
  private version = '';
  private model = '';
  private device = '';
  private latencyMs: number | undefined;
  private works = 0;

  constructor() {
    this.item.name = 'hxqd';
    this.item.command = 'hxqd.menu';
    this.draw();
  }

  dispose(): void {
    this.watchers.forEach((watcher) => watcher.dispose());
    this.item.dispose();
  }

  /** Another phase; `problem` is a sentence about what failed. */
  enter(phase: Phase, problem = ''): void {
    this.phase = phase;
    this.problem = problem;
    void vscode.commands.executeCommand('setContext', 'hxqd.phase', phase);
    this.draw();
  }

  isReady(): boolean {
    return this.phase === 'ready';
  }

  runs(version: string): void {
    this.version = version;
  }

  loaded(model: string, device: string): void {
    this.model = basename(model) === BUILT_IN_FOLDER ? 'built-in' : basename(model);
    this.device = device;
    this.enter('ready');
  }

  answered(milliseconds: number): void {
    this.latencyMs = Math.round(milliseconds);
    this.draw();
  }

  /** Shows that something is at work until `work` has ended, whichever way. */
  async during<T>(work: PromiseLike<T>): Promise<T> {
    let isShown = false;
    const timer = setTimeout(() => {
      isShown = true;
      this.works++;
      this.draw();
    }, BUSY_AFTER_MS);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
      if (isShown) this.works--;
      this.draw();
    }
  }

  draw(): void {
    if (this.phase === 'stopped') this.item.hide();
    else this.item.show();
    const isFailed = this.phase === 'failed';
    this.item.text = `${this.icon()} ${this.phase === 'ready' ? this.facts() : `hxqd: ${this.phase}`}`;
    this.item.backgroundColor = isFailed ? new vscode.ThemeColor('statusBarItem.errorBackground') : undefined;
    this.item.tooltip = this.tooltip();
    this.item.accessibilityInformation = {
      label: `hxqd: ${this.phase === 'ready' ? this.facts() : this.phase}${this.isOnHere() ? '' : ', off here'}`,
    };
  }

  private icon(): string {
    if (this.phase === 'failed') return '$(error)';
    if (this.phase === 'starting' || this.phase === 'loading' || this.works > 0) return '$(loading~spin)';
    if (this.phase === 'off' || !this.isOnHere()) return '$(circle-slash)';
    return '$(wand)';
  }

  private isOnHere(): boolean {
    const document = documentHere();
    return document ? isOn(document.languageId) : !vscode.window.activeTextEditor;
  }

  private facts(): string {
    const latency = this.latencyMs === undefined ? [] : [`${this.latencyMs} ms`];
    return [this.model, this.device, ...latency].join(' · ');
  }

  private tooltip(): string {
    const language = documentHere()?.languageId;
    return [
      this.version,
      this.phase === 'ready' ? `model ${this.model} on ${this.device}` : this.phase,
      this.problem,
      this.latencyMs === undefined ? '' : `last answer after ${this.latencyMs} ms`,
      language ? `completions ${this.isOnHere() ? 'on' : 'off'} for ${language}` : '',
    ].filter(Boolean).join('\n');
  }
}
