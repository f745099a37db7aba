// The house that the page's stories play in: a store, a real `wardroom serve` on it, and people who came in by link.
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type Browser, type BrowserContextOptions, type Page, chromium } from 'playwright-core';
import { PATIENCE } from './patience';

const BUILT = process.env.CARGO_TARGET_DIR ?? join(import.meta.dirname, '../../target');
const WARDROOM = process.env.WARDROOM_TEST_PROGRAM ?? join(BUILT, 'debug/wardroom');
/** Chromium takes no part in anything beyond these pages. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  // Names of servers elsewhere, for what a page may not do beyond this machine.
  '--host-resolver-rules=MAP *.test 127.0.0.1',
];
export const PASSWORD = 'a long enough password';

export const DESK = { width: 1440, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** Where pictures of the way go, if anybody wants them. */
const pictures = process.env.STORY_PICTURES;

/** The page at a desk and on a phone, in the light and in the dark, with a part of it in view. It is at a desk afterwards. */
export async function picture(page: Page, name: string, part?: string): Promise<void> {
  if (!pictures) return;
  for (const [where, viewport] of [
    ['desk', DESK],
    ['phone', PHONE],
  ] as const)
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      if (part) await page.locator(part).scrollIntoViewIfNeeded();
      await page.screenshot({ path: join(pictures, `${name}-${where}-${colorScheme}.png`) });
    }
  await page.setViewportSize(DESK);
}

export type Store = 'sqlite' | 'postgres';
export const STORES: Store[] = ['sqlite', 'postgres'];

function psql(url: string, statement: string): void {
  execFileSync('psql', ['-qAtX', '-v', 'ON_ERROR_STOP=1', url, '-c', statement]);
}

/** Whether a server serves. Its certificate may be one that it made for itself. */
function ready(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = (url.startsWith('https:') ? https : http).get(
      `${url}/readyz`,
      { rejectUnauthorized: false, agent: false } as https.RequestOptions,
      (answer) => {
        answer.resume();
        resolve(answer.statusCode === 200);
      },
    );
    asked.on('error', () => resolve(false));
  });
}

export class House {
  private readonly folder = mkdtempSync(join(tmpdir(), 'wardroom-story-'));
  private readonly place: string[];
  private readonly flags = [...FLAGS];
  private readonly undo: (() => void)[] = [];
  private server: ChildProcess | undefined;
  private browser: Browser | undefined;
  url = '';
  /** What went wrong in pages without anybody catching it. */
  private readonly broken: string[] = [];
  /** What the server that runs has said, line by line. */
  said: string[] = [];

  constructor(store: Store) {
    if (store === 'sqlite') {
      this.place = ['--data', join(this.folder, 'data')];
      return;
    }
    const server = process.env.WARDROOM_TEST_POSTGRES;
    if (!server) throw new Error('run the stories with `make test`: it starts a PostgreSQL');
    const name = `page_${crypto.randomUUID().replaceAll('-', '')}`;
    psql(server, `CREATE DATABASE ${name}`);
    this.undo.push(() => psql(server, `DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));
    const database = `${server.slice(0, server.lastIndexOf('/'))}/${name}`;
    this.place = ['--database', database, '--evidence', join(this.folder, 'evidence')];
  }

  /** Runs `wardroom` on the store; it has to succeed. */
  run(...words: string[]): string {
    return execFileSync(WARDROOM, [...words, ...this.place], { encoding: 'utf8', env: this.environment() });
  }

  /** Writes a backup. Where it is. */
  backup(): string {
    const file = join(this.folder, `${crypto.randomUUID()}.backup`);
    this.run('backup', file);
    return file;
  }

  /** Puts a backup in the place of what stands in the folder. Nothing may run on it. */
  restore(file: string): void {
    rmSync(join(this.folder, 'data'), { recursive: true });
    this.run('restore', file);
  }

  /** Runs a client verb as somebody. */
  say(token: string, ...words: string[]): string {
    const env = { ...this.environment(), WARDROOM_URL: this.url, WARDROOM_TOKEN: token };
    return execFileSync(WARDROOM, words, { encoding: 'utf8', env });
  }

  private environment(): NodeJS.ProcessEnv {
    return { ...process.env, NO_COLOR: '1', WARDROOM_LOG: 'warn' };
  }

  /** A certificate that the house made for itself, as the settings name it. Its browser takes it as good. */
  certificate(): NodeJS.ProcessEnv {
    const [cert, key] = [join(this.folder, 'cert.pem'), join(this.folder, 'key.pem')];
    const made = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
    const named = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    execFileSync('openssl', ['req', '-x509', ...made, ...named, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    });
    this.flags.push('--ignore-certificate-errors');
    return { WARDROOM_TLS_CERT: cert, WARDROOM_TLS_KEY: key };
  }

  /** Starts the server, at the address of its last start if there was one, with these variables. */
  async serve(more: NodeJS.ProcessEnv = {}): Promise<void> {
    const listen = this.url ? `127.0.0.1:${new URL(this.url).port}` : '127.0.0.1:0';
    this.server = spawn(WARDROOM, ['serve', '--listen', listen, ...this.place], {
      env: { ...this.environment(), ...more },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    this.said = [];
    const lines = createInterface({ input: this.server.stdout! });
    await new Promise<void>((resolve) => {
      lines.on('line', (line) => {
        this.said.push(line);
        const found = /https?:\/\/[\d.:]+/.exec(line);
        if (found) this.url ||= found[0];
        if (this.url) resolve();
      });
    });
    for (;;) {
      if (await ready(this.url)) return;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
  }

  /** kill -9. */
  async kill(): Promise<void> {
    const server = this.server!;
    const ended = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    await ended;
  }

  /** Starts the server anew where it was killed. */
  async back(): Promise<void> {
    if (this.server?.signalCode) await this.serve();
  }

  /** A person, and a token with which a story acts for them from the terminal. */
  person(handle: string, name: string, ...more: string[]): string {
    this.run('person', 'add', handle, '--name', name, ...more);
    return this.run('token', 'create', handle).trim().split(/\s+/).at(-1)!;
  }

  /** A person who was added, in a browser of their own, having come in by a link. */
  async enter(handle: string, options: BrowserContextOptions = {}): Promise<Page> {
    const link = /https?:\/\/\S+#\S+|\/welcome#\S+/.exec(this.run('person', 'link', handle))?.[0] ?? '';
    const page = await this.open(options);
    await page.goto(new URL(link.replace(/^https?:\/\/[^/]+/, ''), this.url).href);
    await page
      .getByLabel(/password/i)
      .first()
      .fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.waitForURL(`${this.url}/`);
    return page;
  }

  /** Somebody who has a password signs in at the door. */
  async signIn(page: Page, handle: string): Promise<void> {
    await page.goto(this.url);
    await page.getByLabel('Your handle').fill(handle);
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Board' }).waitFor();
  }

  /** A browser of somebody who is not signed in. */
  async open(options: BrowserContextOptions = {}): Promise<Page> {
    this.browser ??= await chromium.launch({
      executablePath: process.env.WARDROOM_TEST_CHROMIUM!,
      args: this.flags,
    });
    const context = await this.browser.newContext({ viewport: DESK, locale: 'en-GB', ...options });
    // What does not come in this time does not come: a story that fails says where.
    context.setDefaultTimeout(PATIENCE.timeout);
    context.on('weberror', (error) => this.broken.push(error.error().stack ?? error.error().message));
    return await context.newPage();
  }

  async close(): Promise<void> {
    await this.browser?.close();
    if (this.server?.exitCode === null && this.server.signalCode === null)
      await this.kill().catch(() => undefined);
    this.undo.forEach((undo) => undo());
    rmSync(this.folder, { recursive: true, force: true });
    // Whatever a story looked at: nothing in a page breaks.
    if (this.broken.length > 0) throw new Error(this.broken.join('\n'));
  }
}
