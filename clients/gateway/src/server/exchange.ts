import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Http2ServerRequest, Http2ServerResponse } from "node:http2";

/** A request over HTTP/1.1 or HTTP/2. */
export type HttpRequest = IncomingMessage | Http2ServerRequest;

/** Its response. */
export type HttpResponse = ServerResponse | Http2ServerResponse;

/** Writes a whole response. A HEAD gets the headers alone. */
export function send(
  request: HttpRequest,
  response: HttpResponse,
  status: number,
  headers: Record<string, string>,
  body: string | Uint8Array = "",
): void {
  if (response.headersSent || response.destroyed) return;
  const bytes = Buffer.from(body as string);
  start(response, status, { ...headers, "content-length": String(bytes.length) });
  if (request.method === "HEAD" || bytes.length === 0) response.end();
  else response.end(bytes);
}

/** Writes the status and the headers. */
export function start(
  response: HttpResponse,
  status: number,
  headers: Record<string, string>,
): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  (response as ServerResponse).writeHead(status);
}

/** Writes a piece and waits until the client has room for more. */
export async function write(
  response: HttpResponse,
  piece: string,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  if (!(response as ServerResponse).write(piece)) await once(response, "drain", { signal });
}

/** Aborted when the client goes away before the response is whole. */
export function clientSignal(response: HttpResponse): AbortSignal {
  const controller = new AbortController();
  response.once("close", () => {
    if (!response.writableFinished) controller.abort();
  });
  return controller.signal;
}
