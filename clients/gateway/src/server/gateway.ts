import type { DescMethod } from "@bufbuild/protobuf";
import type { Backend } from "../backend/backend.ts";
import { Caller, type CallRecord, noteFailure, type Protocol } from "../call.ts";
import type { Contract } from "../contract/contract.ts";
import type { Directory } from "../directory.ts";
import type { Errors, GatewayError } from "../errors.ts";
import type { Log } from "../log.ts";
import { callerAddress, continueTrace, upstreamHeaders } from "../metadata.ts";
import type { Sandbox } from "../sandbox/sandbox.ts";
import { JsonHandler, sendError } from "../transcoding/json_handler.ts";
import { Routes } from "../transcoding/routes.ts";
import { ConnectHandlers, protocolOf } from "./connect_handler.ts";
import { Cors } from "./cors.ts";
import type { Docs } from "./docs.ts";
import { type HttpRequest, type HttpResponse, send } from "./exchange.ts";
import type { Metrics } from "./metrics.ts";

export type GatewayOptions = {
  contract: Contract;
  directory: Directory;
  errors: Errors;
  log: Log;
  metrics: Metrics;
  docs: Docs | undefined;
  sandbox?: Sandbox | undefined;
  trustedProxies: readonly string[];
  allowOrigins: readonly string[];
  maxBodyBytes: number;
  defaultTimeoutMs: number;
};

/** Longest path with its query. */
const MAX_URL = 8192;

/** How long an answer about the backends holds. */
const READY_MS = 1000;

const METHODS = new Set(["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]);

/** What stands at a path of JSON: a handler, or the backends one must choose from. */
type Target = JsonHandler | { choose: Set<string> };

/** Answers requests over HTTP, each by the backend that it is for. */
export class Gateway {
  readonly #options: GatewayOptions;
  readonly #caller: Caller;
  readonly #stopping = new AbortController();
  readonly #cors: Cors;
  /** Paths without a backend before them. */
  readonly #routes = new Routes<Target>();
  /** By backend, for paths that begin with its name. */
  readonly #prefixed = new Map<
    string,
    { routes: Routes<Target>; connect: ConnectHandlers; backend: Backend }
  >();
  #ready: { until: number; answer: Promise<boolean> } | undefined;

  /** Fails when two methods of one backend stand at the same path. */
  constructor(options: GatewayOptions) {
    this.#options = options;
    this.#caller = new Caller(options.errors, options.defaultTimeoutMs, this.#stopping.signal);
    this.#cors = new Cors(options.allowOrigins);
    this.#bindConnect();
    this.#bindPaths();
  }

  /** No longer ready; streams end, running calls go on. */
  stop(): void {
    this.#stopping.abort();
  }

  /** Answers one request. Never fails. */
  async handle(request: HttpRequest, response: HttpResponse): Promise<void> {
    response.on("error", () => {});
    try {
      if (this.#stopping.signal.aborted && request.httpVersionMajor === 1) {
        response.setHeader("connection", "close");
      }
      if (!this.#cors.apply(request, response)) await this.#dispatch(request, response);
    } catch (cause) {
      if (response.destroyed) return;
      sendError(this.#options.errors, request, response, this.#options.errors.present(cause));
    }
  }

  async #dispatch(request: HttpRequest, response: HttpResponse): Promise<void> {
    const { errors, docs, sandbox } = this.#options;
    const url = request.url ?? "";
    if (url.length > MAX_URL) throw errors.make("URL_TOO_LONG", { maximum: String(MAX_URL) });
    const [path = "", query = ""] = splitOnce(url, "?");
    if (!path.startsWith("/")) throw errors.make("PATH_UNKNOWN");
    const verb = request.method === "HEAD" ? "GET" : (request.method ?? "");
    if (verb === "GET") {
      if (path === "/healthz") return send(request, response, 200, TEXT, "ok\n");
      if (path === "/readyz") return this.#sendReady(request, response);
      if (docs?.handle(path, request, response)) return;
    }
    if (await sandbox?.handle(path, request, response)) return;

    const [, first = ""] = path.split("/", 2);
    const prefixed = this.#prefixed.get(first);
    const inner = prefixed === undefined ? path : path.slice(first.length + 1);
    const offers = (prefixed === undefined ? [...this.#prefixed.values()] : [prefixed]).filter(
      ({ connect }) => connect.method(inner) !== undefined,
    );
    const [offer] = offers;
    if (offers.length > 1) {
      throw this.#serviceNotNamed(
        offers.map(({ backend }) => backend.name),
        path,
      );
    }
    if (offer !== undefined) {
      const { backend, connect } = offer;
      const method = connect.method(inner) as DescMethod;
      await this.#record(protocolOf(request), backend, method, request, response, (record) =>
        connect.handle(inner, record, request, response),
      );
      return;
    }
    await this.#handleJson(prefixed?.routes ?? this.#routes, inner, query, verb, request, response);
  }

  async #handleJson(
    routes: Routes<Target>,
    path: string,
    query: string,
    verb: string,
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<void> {
    const { errors } = this.#options;
    const match = routes.find(verb, path);
    if (match.kind === "found" && match.target instanceof JsonHandler) {
      const handler = match.target;
      await this.#record("json", handler.backend, handler.method, request, response, (record) =>
        handler.handle(record, request, response, match.variables, query),
      );
      return;
    }
    if (match.kind === "found" && !(match.target instanceof JsonHandler)) {
      throw this.#serviceNotNamed(match.target.choose, path);
    }
    if (match.kind === "wrong method" || !METHODS.has(request.method ?? "")) {
      const allowed = match.kind === "wrong method" ? withHead(match.allowed) : [...METHODS];
      if (request.method === "OPTIONS" && match.kind === "wrong method") {
        return send(request, response, 204, { allow: ["OPTIONS", ...allowed].join(", ") });
      }
      const error: GatewayError = errors.make("METHOD_NOT_ALLOWED", {
        allowed: allowed.join(", "),
      });
      error.headers.allow = allowed.join(", ");
      throw error;
    }
    throw errors.make("PATH_UNKNOWN");
  }

  #serviceNotNamed(names: Iterable<string>, path: string): GatewayError {
    const paths = [...names].map((name) => `/${name}${path}`).join(", ");
    return this.#options.errors.make("SERVICE_NOT_NAMED", { paths });
  }

  /** Counts and logs what `answer` does. */
  async #record(
    protocol: Protocol,
    backend: Backend,
    method: DescMethod,
    request: HttpRequest,
    response: HttpResponse,
    answer: (record: CallRecord) => Promise<void>,
  ): Promise<void> {
    const { log, metrics, errors, trustedProxies } = this.#options;
    const begin = performance.now();
    const { traceparent, traceId } = continueTrace(header(request, "traceparent"));
    const address = callerAddress(
      request.socket?.remoteAddress ?? "",
      header(request, "x-forwarded-for"),
      trustedProxies,
    );
    const record: CallRecord = {
      protocol,
      method: `${method.parent.typeName}/${method.name}`,
      backend: backend.name,
      code: undefined,
      reason: "",
      traceId,
      headers: upstreamHeaders(request.headers, address, traceparent),
    };
    metrics.begin();
    try {
      await answer(record);
    } catch (cause) {
      const error = errors.present(cause, traceId);
      noteFailure(record, error, errors);
      if (!response.headersSent) sendError(errors, request, response, error);
      else response.destroy();
    } finally {
      // What never reached a backend was refused for its form.
      record.code ??= "INVALID_ARGUMENT";
      const ms = performance.now() - begin;
      metrics.end(record, ms / 1000);
      log.info("call", {
        method: record.method,
        backend: record.backend,
        protocol,
        code: record.code,
        reason: record.reason,
        http: response.statusCode,
        ms: Math.round(ms * 1000) / 1000,
        trace_id: traceId,
      });
    }
  }

  async #sendReady(request: HttpRequest, response: HttpResponse): Promise<void> {
    const now = performance.now();
    if (this.#ready === undefined || this.#ready.until < now) {
      const signal = AbortSignal.timeout(2 * READY_MS);
      const answers = this.#options.directory.backends.map((backend) => backend.ready(signal));
      const answer = Promise.all(answers).then((all) => all.every(Boolean));
      this.#ready = { until: now + READY_MS, answer };
    }
    const ready = !this.#stopping.signal.aborted && (await this.#ready.answer);
    send(request, response, ready ? 200 : 503, TEXT, ready ? "ready\n" : "not ready\n");
  }

  #bindConnect(): void {
    const { contract, directory, maxBodyBytes } = this.#options;
    for (const backend of directory.backends) {
      const methods = [...directory.places()]
        .filter((place) => place.backend === backend)
        .map(({ method }) => method);
      this.#prefixed.set(backend.name, {
        routes: new Routes<Target>(),
        connect: new ConnectHandlers(contract, this.#caller, backend, methods, maxBodyBytes),
        backend,
      });
    }
  }

  #bindPaths(): void {
    const { contract, directory, errors, maxBodyBytes } = this.#options;
    const context = { contract, errors, caller: this.#caller, maxBodyBytes };
    for (const { backend, method, binding } of directory.boundPlaces()) {
      const handler = new JsonHandler(context, backend, method, binding);
      const own = this.#prefixed.get(backend.name)?.routes as Routes<Target>;
      if (own.add(binding.verb, binding.template, handler) !== undefined) {
        throw new Error(`${backend.name}: two methods at ${binding.verb} ${binding.template}`);
      }
      const target = directory.isAlone(method) ? handler : { choose: new Set([backend.name]) };
      const before = this.#routes.add(binding.verb, binding.template, target);
      if (before === undefined) continue;
      // Several backends have it: nobody guesses which one is meant.
      const choose = before instanceof JsonHandler ? new Set([before.backend.name]) : before.choose;
      choose.add(backend.name);
      if (before instanceof JsonHandler) {
        this.#routes.replace(binding.verb, binding.template, { choose });
      }
    }
  }
}

const TEXT = { "content-type": "text/plain; charset=utf-8", "cache-control": "no-store" };

function header(request: HttpRequest, name: string): string | undefined {
  const value = request.headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ""] : [text.slice(0, at), text.slice(at + 1)];
}

function withHead(verbs: readonly string[]): string[] {
  return verbs.flatMap((verb) => (verb === "GET" ? ["GET", "HEAD"] : [verb]));
}
