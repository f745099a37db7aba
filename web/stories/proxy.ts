// A way to the server that can be slow or broken: it holds answers back, or loses them.
import http from 'node:http';
import net from 'node:net';

export type Manner =
  /** All goes through. */
  | 'pass'
  /** What is asked for reaches the server, and its answer waits. */
  | 'hold'
  /** What is asked for reaches the server, and its answer is lost on the way: a gateway says so. */
  | 'lose'
  /** Nothing reaches the server. */
  | 'refuse';

export class Proxy {
  /** How commands fare. Everything else goes through. */
  manner: Manner = 'pass';
  /** Answers that wait, to be let go as the manner is then. */
  readonly held: (() => void)[] = [];
  /** Commands that reached the server. */
  reached = 0;
  url = '';
  readonly #to: URL;
  readonly #server: http.Server;
  readonly #open = new Set<net.Socket>();

  constructor(to: string) {
    this.#to = new URL(to);
    this.#server = http.createServer((asked, answer) => this.#pass(asked, answer));
    this.#server.on('upgrade', (asked: http.IncomingMessage, socket: net.Socket, head: Buffer) =>
      this.#upgrade(asked, socket, head),
    );
    this.#server.on('connection', (socket) => {
      this.#open.add(socket);
      socket.on('close', () => this.#open.delete(socket));
    });
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    this.url = `http://127.0.0.1:${(this.#server.address() as net.AddressInfo).port}`;
  }

  /** Lets answers go that wait. */
  release(): void {
    this.held.splice(0).forEach((go) => go());
  }

  close(): void {
    this.release();
    this.#open.forEach((socket) => socket.destroy());
    this.#server.close();
  }

  #pass(asked: http.IncomingMessage, answer: http.ServerResponse): void {
    const commands = asked.method === 'POST' && asked.url!.endsWith('/commands');
    const gone = (status: number): void => void answer.writeHead(status).end();
    if (commands && this.manner === 'refuse') {
      asked.resume();
      return gone(503);
    }
    const { hostname, port } = this.#to;
    const { method, url: path, headers } = asked;
    const onwards = http.request({ hostname, port, method, path, headers, agent: false }, (told) => {
      const go = (): void => {
        if (commands && this.manner === 'lose') return (told.resume(), gone(502));
        answer.writeHead(told.statusCode!, told.headers);
        told.pipe(answer);
      };
      if (commands) this.reached += 1;
      if (commands && this.manner === 'hold') this.held.push(go);
      else go();
    });
    onwards.on('error', () => (answer.headersSent ? answer.destroy() : gone(502)));
    answer.on('close', () => onwards.destroy());
    asked.pipe(onwards);
  }

  #upgrade(asked: http.IncomingMessage, socket: net.Socket, head: Buffer): void {
    const onwards = net.connect(Number(this.#to.port), this.#to.hostname, () => {
      const lines = asked.rawHeaders.flatMap((name, at) =>
        at % 2 === 0 ? [`${name}: ${asked.rawHeaders[at + 1]}`] : [],
      );
      onwards.write(`${asked.method} ${asked.url} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
      onwards.write(head);
      socket.pipe(onwards).pipe(socket);
    });
    for (const one of [socket, onwards]) one.on('error', () => (socket.destroy(), onwards.destroy()));
  }
}
