import type { HttpRequest, HttpResponse } from "./exchange.ts";

/** For how long a browser may keep the answer to a preflight. */
const MAX_AGE_SECONDS = 7200;

const EXPOSED = [
  "etag",
  "grpc-message",
  "grpc-status",
  "grpc-status-details-bin",
  "parcours-feed-token",
  "retry-after",
  "traceparent",
].join(", ");

/** Lets web pages of the allowed origins call from a browser, and no others. */
export class Cors {
  readonly #origins: ReadonlySet<string>;

  constructor(origins: readonly string[]) {
    this.#origins = new Set(origins);
  }

  /** Sets the headers of an answer. Returns whether it was a preflight, now answered. */
  apply(request: HttpRequest, response: HttpResponse): boolean {
    if (this.#origins.size > 0) response.setHeader("vary", "Origin");
    const { origin } = request.headers;
    const wanted = request.headers["access-control-request-method"];
    const preflight = request.method === "OPTIONS" && wanted !== undefined;
    if (origin !== undefined && this.#origins.has(origin)) {
      response.setHeader("access-control-allow-origin", origin);
      response.setHeader("access-control-expose-headers", EXPOSED);
      if (preflight) {
        response.setHeader("access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE");
        response.setHeader("access-control-max-age", String(MAX_AGE_SECONDS));
        const headers = request.headers["access-control-request-headers"];
        if (headers !== undefined) response.setHeader("access-control-allow-headers", headers);
      }
    }
    if (!preflight) return false;
    response.statusCode = 204;
    response.end();
    return true;
  }
}
