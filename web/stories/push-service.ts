// The push service of a browser's vendor, played: what the server leaves there is opened with the browser's own keys
// (RFC 8291), to be handed to its service worker by the browser's own tools. And the browser's half of subscribing, which
// Chromium cannot do without its vendor.
import { type ECDH, createDecipheriv, createECDH, hkdfSync, randomBytes } from 'node:crypto';
import { type Server, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CDPSession, Page } from 'playwright-core';
import { PATIENCE } from './patience';

/** What the server says to a browser. */
export interface Said {
  id: string;
  line: string;
  help: string;
  path: string;
  done: boolean;
}

function opened(body: Buffer, key: ECDH, secret: Buffer): Said {
  const salt = body.subarray(0, 16);
  const sealed = body.subarray(21 + body[20]!);
  const theirs = body.subarray(21, 21 + body[20]!);
  const both = Buffer.concat([Buffer.from('WebPush: info\0'), key.getPublicKey(), theirs]);
  const input = Buffer.from(hkdfSync('sha256', key.computeSecret(theirs), secret, both, 32));
  const drawn = (info: string, length: number) => Buffer.from(hkdfSync('sha256', input, salt, info, length));
  const open = createDecipheriv(
    'aes-128-gcm',
    drawn('Content-Encoding: aes128gcm\0', 16),
    drawn('Content-Encoding: nonce\0', 12),
  );
  open.setAuthTag(sealed.subarray(-16));
  const plain = Buffer.concat([open.update(sealed.subarray(0, -16)), open.final()]);
  return JSON.parse(plain.subarray(0, plain.lastIndexOf(2)).toString()) as Said;
}

/** A push service with one browser behind it, at as many addresses as it is given. */
export class PushService {
  private readonly key = createECDH('prime256v1');
  private readonly secret = randomBytes(16);
  private readonly came: { said: Said; path: string }[] = [];
  private wake: () => void = () => {};
  private server!: Server;
  origin = '';

  static async start(): Promise<PushService> {
    const service = new PushService();
    service.key.generateKeys();
    service.server = createServer((asked, answer) => {
      const pieces: Buffer[] = [];
      asked.on('data', (piece: Buffer) => pieces.push(piece));
      asked.on('end', () => {
        const said = opened(Buffer.concat(pieces), service.key, service.secret);
        service.came.push({ said, path: asked.url ?? '' });
        answer.writeHead(201).end();
        service.wake();
      });
    });
    await new Promise<void>((resolve) => service.server.listen(0, '127.0.0.1', resolve));
    service.origin = `http://127.0.0.1:${(service.server.address() as AddressInfo).port}`;
    return service;
  }

  /** Waits for the message that came as this one, counted from 1. */
  async nth(n: number): Promise<{ said: Said; path: string }> {
    while (this.came.length < n) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.came[n - 1]!;
  }

  close(): void {
    this.server.close();
  }

  /** Has the browser of a page get its addresses here; where it subscribed stays known across loads of the page. */
  async standIn(page: Page): Promise<void> {
    const keys = { p256dh: [...this.key.getPublicKey()], auth: [...this.secret] };
    await page.addInitScript(
      ({ origin, keys }) => {
        const made = () => {
          const kept = localStorage.getItem('stand-in');
          if (kept === null) return null;
          const { endpoint, key } = JSON.parse(kept) as { endpoint: string; key: number[] };
          return {
            endpoint,
            options: { userVisibleOnly: true, applicationServerKey: new Uint8Array(key).buffer },
            getKey: (name: 'p256dh' | 'auth') => new Uint8Array(keys[name]).buffer,
            unsubscribe: () => Promise.resolve(localStorage.removeItem('stand-in')),
          };
        };
        Object.assign(PushManager.prototype, {
          getSubscription: () => Promise.resolve(made()),
          subscribe: ({ applicationServerKey }: { applicationServerKey: Uint8Array }) => {
            const endpoint = `${origin}/${Math.random().toString(36).slice(2)}`;
            localStorage.setItem('stand-in', JSON.stringify({ endpoint, key: [...applicationServerKey] }));
            return Promise.resolve(made());
          },
        });
      },
      { origin: this.origin, keys },
    );
  }
}

/** A notification, as it is shown. */
interface Shown {
  title: string;
  body: string;
  tag: string;
  path: unknown;
  silent: boolean | null;
}

/** The service worker of a page, as the browser's own tools reach it. */
export class WorkerOf {
  private constructor(
    private readonly page: Page,
    private readonly cdp: CDPSession,
    private readonly registration: string,
  ) {}

  static async of(page: Page): Promise<WorkerOf> {
    const cdp = await page.context().newCDPSession(page);
    const registered = new Promise<string>((resolve) =>
      cdp.on('ServiceWorker.workerRegistrationUpdated', ({ registrations }) => {
        const live = registrations.find((one) => !one.isDeleted);
        if (live) resolve(live.registrationId);
      }),
    );
    await cdp.send('ServiceWorker.enable');
    return new WorkerOf(page, cdp, await registered);
  }

  /** A message arrives. */
  async gets(data: unknown): Promise<void> {
    const origin = new URL(this.page.url()).origin;
    await this.cdp.send('ServiceWorker.deliverPushMessage', {
      origin,
      registrationId: this.registration,
      data: typeof data === 'string' ? data : JSON.stringify(data),
    });
  }

  /** A message arrives, until what is on the screen is as it should be. The browser's tools lose one at times that comes
   * while the worker has to do with another; a push service says it again, too. */
  async shows(data: unknown, holds: (all: Shown[]) => boolean): Promise<Shown[]> {
    const patience = Date.now() + PATIENCE.timeout;
    for (;;) {
      await this.gets(data);
      for (const again = Date.now() + 2_000; Date.now() < again;) {
        const all = await this.shown();
        if (holds(all)) return all;
        if (Date.now() > patience)
          throw new Error(`It does not come about. There is: ${JSON.stringify(all)}`);
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
  }

  /** What is on the screen. */
  shown(): Promise<Shown[]> {
    return this.page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      const all = await registration.getNotifications();
      return all.map(({ title, body, tag, data, silent }) => ({
        title,
        body,
        tag,
        path: data as unknown,
        silent,
      }));
    });
  }
}
