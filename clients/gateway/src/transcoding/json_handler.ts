import {
  type DescMethod,
  type JsonObject,
  type JsonValue,
  type Message,
  toJson,
} from "@bufbuild/protobuf";
import type { ConnectError } from "@connectrpc/connect";
import type { Backend } from "../backend/backend.ts";
import { allHeaders, type Caller, type CallRecord, noteFailure, textField } from "../call.ts";
import type { Contract, HttpBinding } from "../contract/contract.ts";
import { type Errors, httpStatus } from "../errors.ts";
import {
  clientSignal,
  type HttpRequest,
  type HttpResponse,
  send,
  start,
  write,
} from "../server/exchange.ts";
import { RequestDecoder } from "./request.ts";

/** What handlers of all paths share. */
export type JsonContext = {
  contract: Contract;
  errors: Errors;
  caller: Caller;
  maxBodyBytes: number;
};

/** Until when a stream's first message may decide on the status of the response. */
const FIRST_MESSAGE_MS = 1000;

const NOT_STORED = { "cache-control": "no-store", "x-content-type-options": "nosniff" };

/** Answers one binding of google.api.http in JSON. */
export class JsonHandler {
  readonly method: DescMethod;
  readonly backend: Backend;
  readonly #context: JsonContext;
  readonly #binding: HttpBinding;
  readonly #decoder: RequestDecoder;

  constructor(context: JsonContext, backend: Backend, method: DescMethod, binding: HttpBinding) {
    this.method = method;
    this.backend = backend;
    this.#context = context;
    this.#binding = binding;
    this.#decoder = new RequestDecoder(method.input, binding.body, context.contract.registry);
  }

  get #takesStream(): boolean {
    return (
      this.method.methodKind === "client_streaming" || this.method.methodKind === "bidi_streaming"
    );
  }

  get #givesStream(): boolean {
    return (
      this.method.methodKind === "server_streaming" || this.method.methodKind === "bidi_streaming"
    );
  }

  async handle(
    record: CallRecord,
    request: HttpRequest,
    response: HttpResponse,
    variables: ReadonlyMap<string, string>,
    query: string,
  ): Promise<void> {
    const signal = clientSignal(response);
    try {
      const timeoutMs = this.#timeout(request);
      const requests = this.#takesStream
        ? this.#readMessages(request, variables, query)
        : one(await this.#readMessage(request, variables, query));
      const { caller } = this.#context;
      const call = caller.call(record, this.backend, this.method, requests, signal, timeoutMs);
      if (this.#givesStream) {
        await this.#sendStream(request, response, call, signal);
      } else {
        const answer = await call;
        for await (const message of answer.body) {
          this.#sendMessage(request, response, allHeaders(answer), message);
        }
      }
    } catch (cause) {
      const error = this.#context.errors.present(cause, record.traceId);
      noteFailure(record, error, this.#context.errors);
      sendError(this.#context.errors, request, response, error);
    }
  }

  /** Milliseconds of the header request-timeout, which has seconds. */
  #timeout(request: HttpRequest): number | undefined {
    const value = request.headers["request-timeout"];
    if (value === undefined) return undefined;
    const seconds = /^\d{1,6}(?:\.\d{1,6})?$/.test(String(value)) ? Number(value) : 0;
    if (seconds > 0) return Math.max(1, Math.round(seconds * 1000));
    throw this.#context.errors.invalid([
      {
        field: "request-timeout",
        reason: "FIELD_MALFORMED",
        metadata: { expected: 'a number of seconds as "2.5"' },
      },
    ]);
  }

  async #readMessage(
    request: HttpRequest,
    variables: ReadonlyMap<string, string>,
    query: string,
  ): Promise<Message> {
    const bytes = await this.#readBody(request);
    let body: JsonValue | undefined;
    if (bytes.length > 0) {
      if (this.#binding.body === "") {
        throw this.#context.errors.make("BODY_MALFORMED", {
          expected: { en: "wanted here, and must be empty", fr: "attendu ici et doit être vide" },
        });
      }
      this.#checkMediaType(request, /^application\/json$/, "application/json");
      body = this.#parse(bytes);
    }
    const message = this.#decode(body, variables, query);
    this.#applyConditions(request, message);
    return message;
  }

  /** The messages of a body of JSON lines, read as fast as they are taken. */
  async *#readMessages(
    request: HttpRequest,
    variables: ReadonlyMap<string, string>,
    query: string,
  ): AsyncIterable<Message> {
    this.#checkMediaType(request, /^application\/(?:x-ndjson|json)$/, "application/x-ndjson");
    const { errors, maxBodyBytes } = this.#context;
    let rest: Buffer = Buffer.alloc(0);
    for await (const chunk of request) {
      rest = Buffer.concat([rest, chunk as Buffer]);
      for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
        const line = rest.subarray(0, end);
        rest = rest.subarray(end + 1);
        if (!isBlank(line)) yield this.#decode(this.#parse(line), variables, query);
      }
      if (rest.length > maxBodyBytes) {
        throw errors.make("BODY_TOO_LARGE", { maximum: String(maxBodyBytes) });
      }
    }
    if (!isBlank(rest)) yield this.#decode(this.#parse(rest), variables, query);
  }

  #decode(
    body: JsonValue | undefined,
    variables: ReadonlyMap<string, string>,
    query: string,
  ): Message {
    const decoded = this.#decoder.decode({
      variables,
      query: new URLSearchParams(query),
      ...(body === undefined ? {} : { body }),
    });
    if (!decoded.ok) throw this.#context.errors.invalid(decoded.violations);
    return decoded.message;
  }

  async #readBody(request: HttpRequest): Promise<Buffer> {
    const { errors, maxBodyBytes } = this.#context;
    const announced = Number(request.headers["content-length"] ?? 0);
    const chunks: Buffer[] = [];
    let size = 0;
    if (announced <= maxBodyBytes) {
      for await (const chunk of request) {
        chunks.push(chunk as Buffer);
        size += (chunk as Buffer).length;
        if (size > maxBodyBytes) break;
      }
    }
    if (announced > maxBodyBytes || size > maxBodyBytes) {
      throw errors.make("BODY_TOO_LARGE", { maximum: String(maxBodyBytes) });
    }
    return Buffer.concat(chunks);
  }

  #checkMediaType(request: HttpRequest, wanted: RegExp, expected: string): void {
    const [type = "", ...parameters] = (request.headers["content-type"] ?? "")
      .toLowerCase()
      .split(";")
      .map((part) => part.trim());
    const charset = parameters.find((parameter) => parameter.startsWith("charset="));
    const readable =
      wanted.test(type) &&
      (charset === undefined || /^charset="?utf-8"?$/.test(charset)) &&
      (request.headers["content-encoding"] ?? "identity") === "identity";
    if (!readable) throw this.#context.errors.make("MEDIA_TYPE_NOT_SUPPORTED", { expected });
  }

  #parse(bytes: Uint8Array): JsonValue {
    try {
      return JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    } catch {
      throw this.#context.errors.make("BODY_MALFORMED", {
        expected: { en: "JSON in UTF-8", fr: "du JSON en UTF-8" },
      });
    }
  }

  /** If-Match and Last-Event-ID say what a field of the request may say as well. */
  #applyConditions(request: HttpRequest, message: Message): void {
    const ifMatch = request.headers["if-match"];
    if (typeof ifMatch === "string" && ifMatch !== "*") {
      const etag = textField(this.method.input, "etag");
      const bodyField = this.method.input.fields.find((field) => field.name === this.#binding.body);
      if (etag !== undefined) setIfEmpty(message, etag, ifMatch);
      else if (bodyField?.message !== undefined) {
        const inner = textField(bodyField.message, "etag");
        const resource = (message as unknown as Record<string, unknown>)[bodyField.localName];
        if (inner !== undefined && resource !== undefined) {
          setIfEmpty(resource as Message, inner, ifMatch);
        }
      }
    }
    const lastEvent = request.headers["last-event-id"];
    const after = textField(this.method.input, "after_token");
    if (this.#givesStream && typeof lastEvent === "string" && after !== undefined) {
      setIfEmpty(message, after, lastEvent);
    }
  }

  #sendMessage(
    request: HttpRequest,
    response: HttpResponse,
    headers: Headers,
    message: Message,
  ): void {
    const json = this.#toJson(message);
    const etag = textField(this.method.output, "etag");
    const value = etag && (message as unknown as Record<string, string>)[etag];
    send(
      request,
      response,
      200,
      {
        "content-type": "application/json; charset=utf-8",
        ...NOT_STORED,
        ...Object.fromEntries(headers),
        ...(value && /^(?:W\/)?"[\x21\x23-\x7e]*"$/.test(value) ? { etag: value } : {}),
      },
      JSON.stringify(json),
    );
  }

  #toJson(message: Message): JsonValue {
    const json = toJson(this.method.output, message, {
      registry: this.#context.contract.registry,
    });
    if (this.#binding.responseBody === "") return json;
    const field = this.method.output.fields.find((one) => one.name === this.#binding.responseBody);
    return (json as JsonObject)[field?.jsonName ?? ""] ?? null;
  }

  async #sendStream(
    request: HttpRequest,
    response: HttpResponse,
    call: Promise<{ headers: Headers; body: AsyncIterable<Message> }>,
    signal: AbortSignal,
  ): Promise<void> {
    const asEvents = /\btext\/event-stream\b/.test(String(request.headers.accept ?? ""));
    const frame = asEvents ? eventOf : lineOf;
    const token = asEvents ? textField(this.method.output, "next_token") : undefined;
    let headers = new Headers();
    const messages = (async function* () {
      const answer = await call;
      headers = answer.headers;
      yield* answer.body;
    })();
    const first = messages.next();
    first.catch(() => {});
    // What fails at once says so by its status; a stream that is merely silent begins.
    await Promise.race([first, timer(FIRST_MESSAGE_MS, signal)]);
    start(response, 200, {
      "content-type": asEvents ? "text/event-stream" : "application/x-ndjson",
      ...NOT_STORED,
      "x-accel-buffering": "no",
      ...Object.fromEntries(headers),
    });
    (response as { flushHeaders?: () => void }).flushHeaders?.();
    try {
      for (let next = await first; !next.done; next = await messages.next()) {
        const id = token && (next.value as unknown as Record<string, string>)[token];
        await write(response, frame(this.#toJson(next.value), id), signal);
      }
    } catch (cause) {
      const error = this.#context.errors.present(cause);
      if (!signal.aborted) {
        await write(
          response,
          frame(this.#context.errors.toJson(error), undefined, "error"),
          signal,
        );
      }
    } finally {
      await messages.return();
      response.end();
    }
  }
}

/** Answers with an error in the form of google.rpc.Status. */
export function sendError(
  errors: Errors,
  request: HttpRequest,
  response: HttpResponse,
  error: ConnectError,
): void {
  const retryAfter = errors.retryAfter(error);
  const own = (error as { headers?: Record<string, string> }).headers;
  send(
    request,
    response,
    httpStatus(error),
    {
      "content-type": "application/json; charset=utf-8",
      ...NOT_STORED,
      ...Object.fromEntries(error.metadata),
      ...own,
      ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }),
      ...(httpStatus(error) === 401 ? { "www-authenticate": "Bearer" } : {}),
      // What was not read of the body is not waited for.
      ...(request.httpVersionMajor === 1 && !request.complete ? { connection: "close" } : {}),
    },
    JSON.stringify(errors.toJson(error)),
  );
}

function lineOf(json: JsonValue): string {
  return `${JSON.stringify(json)}\n`;
}

function eventOf(json: JsonValue, id?: string, event?: string): string {
  return `${event ? `event: ${event}\n` : ""}${id ? `id: ${id}\n` : ""}data: ${JSON.stringify(json)}\n\n`;
}

function setIfEmpty(message: Message, field: string, value: string): void {
  const fields = message as unknown as Record<string, unknown>;
  if (fields[field] === "" || fields[field] === undefined) fields[field] = value;
}

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 32 || byte === 9 || byte === 13);
}

async function* one<T>(message: T): AsyncIterable<T> {
  yield message;
}

function timer(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timeout = setTimeout(resolve, ms);
    signal.addEventListener("abort", () => {
      clearTimeout(timeout);
      resolve();
    });
  });
}
