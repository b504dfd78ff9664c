import { readFileSync, unwatchFile, watchFile, writeFileSync } from "node:fs";
import { createServer as createHttp1, type Server as Http1Server } from "node:http";
import {
  createServer as createHttp2,
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
} from "node:http2";
import type { AddressInfo, Server, Socket } from "node:net";
import type { Address } from "../flags.ts";
import type { TlsFiles } from "../options.ts";
import type { HttpRequest, HttpResponse } from "./exchange.ts";

/** Answers a request. */
export type Handle = (request: HttpRequest, response: HttpResponse) => void;

/** Somewhere that is listened at. */
export type Listener = {
  readonly port: number;
  /** Takes no more connections and asks those there are to end once they are idle. */
  drain(): void;
  /** Resolved when the last connection has ended. */
  readonly closed: Promise<void>;
  /** Ends what is left. */
  destroy(): void;
};

/** The largest headers of a request; more is answered with 431. */
const HTTP1 = { maxHeaderSize: 16 * 1024, keepAliveTimeout: 75_000, headersTimeout: 60_000 };
const HTTP2 = {
  settings: { maxConcurrentStreams: 128, maxHeaderListSize: HTTP1.maxHeaderSize },
  maxSessionMemory: 32,
};

/** What every client of HTTP/2 sends first (RFC 9113, section 3.4). */
const PREFACE = "PRI * HTTP/2.0\r\n";

/** Plain text, HTTP/1.1 and HTTP/2 with prior knowledge on one port. */
export async function listenPlain(address: Address, handle: Handle): Promise<Listener> {
  const sessions = new Set<ServerHttp2Session>();
  const http2 = createHttp2(HTTP2, handle).on("session", keepIn(sessions));
  const server = createHttp1({ ...HTTP1, noDelay: true }, handle);
  const [serveHttp1] = server.listeners("connection") as ((socket: Socket) => void)[];
  server.removeAllListeners("connection").on("connection", (socket: Socket) => {
    const end = () => socket.destroy();
    socket.setTimeout(HTTP1.headersTimeout, end).on("error", end);
    socket.once("readable", () => {
      socket.setTimeout(0).off("timeout", end);
      const first: Buffer | null = socket.read();
      if (first === null) return end();
      socket.unshift(first);
      const start = first.subarray(0, PREFACE.length).toString("latin1");
      if (PREFACE.startsWith(start)) http2.emit("connection", socket);
      else serveHttp1?.call(server, socket);
    });
  });
  return listener(server, address, sessions);
}

/** TLS 1.2 or later, HTTP/2 and HTTP/1.1 as the client asks. */
export async function listenTls(
  address: Address,
  files: TlsFiles,
  reloadMs: number,
  handle: Handle,
): Promise<Listener> {
  const sessions = new Set<ServerHttp2Session>();
  const read = () => ({ cert: readFileSync(files.certificate), key: readFileSync(files.key) });
  const server: Http2SecureServer = createSecureServer(
    { ...HTTP1, ...HTTP2, ...read(), allowHTTP1: true, minVersion: "TLSv1.2" },
    handle,
  );
  server.on("session", keepIn(sessions));
  const reload = () => {
    try {
      server.setSecureContext(read());
    } catch {
      // A pair that does not fit yet: the one before goes on serving.
    }
  };
  const stop = watchFiles([files.certificate, files.key], reloadMs, reload);
  server.once("close", stop);
  return listener(server as unknown as Server, address, sessions);
}

/** Calls `changed` when one of the files is replaced. Returns how to stop. */
export function watchFiles(files: readonly string[], ms: number, changed: () => void): () => void {
  for (const file of files) watchFile(file, { interval: ms, persistent: false }, changed);
  return () => {
    for (const file of files) unwatchFile(file, changed);
  };
}

/** Tells others which port was taken, at one moment. */
export function writePort(file: string, port: number): void {
  if (file !== "") writeFileSync(file, `${port}\n`);
}

function keepIn(sessions: Set<ServerHttp2Session>) {
  return (session: ServerHttp2Session) => {
    sessions.add(session);
    session.on("error", () => {});
    session.once("close", () => sessions.delete(session));
  };
}

async function listener(
  server: Server,
  { host, port }: Address,
  sessions: Set<ServerHttp2Session>,
): Promise<Listener> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  // Connections of HTTP/1.1 whose last response has been written are idle.
  const closeIdle = () => (server as Partial<Http1Server>).closeIdleConnections?.();
  let draining = false;
  server.on("request", (_: HttpRequest, response: HttpResponse) =>
    response.once("close", () => draining && setImmediate(closeIdle)),
  );
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, () => resolve());
  });
  const closed = new Promise<void>((resolve) => server.once("close", () => resolve()));
  return {
    port: (server.address() as AddressInfo).port,
    closed,
    drain() {
      draining = true;
      server.close();
      closeIdle();
      for (const session of sessions) session.close();
      // Whoever has connected and said nothing.
      for (const socket of sockets) if (socket.bytesRead === 0) socket.destroy();
    },
    destroy() {
      for (const socket of sockets) socket.destroy();
    },
  };
}
