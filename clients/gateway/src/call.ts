import type {
  DescMessage,
  DescMethod,
  DescMethodStreaming,
  DescMethodUnary,
  Message,
} from "@bufbuild/protobuf";
import { type Code, ConnectError } from "@connectrpc/connect";
import type { Backend } from "./backend/backend.ts";
import { codeName, type Errors } from "./errors.ts";
import { copyForwarded } from "./metadata.ts";

/** How somebody speaks to the gateway. */
export type Protocol = "json" | "connect" | "grpc" | "grpc-web";

/** A call on its way, as it is counted and logged. */
export type CallRecord = {
  protocol: Protocol;
  /** "parcours.enrolment.v1.ProgrammeService/GetBody". */
  method: string;
  backend: string;
  /** "OK" or the name of an error's code, once it is known. */
  code: string | undefined;
  reason: string;
  traceId: string;
  /** What the backend is told besides the request. */
  headers: Headers;
};

/** What a call has brought so far besides messages. */
export type Answer<T> = { headers: Headers; trailers: Headers; body: T };

/** Makes calls, whoever answers them. */
export class Caller {
  readonly #errors: Errors;
  readonly #defaultTimeoutMs: number;
  /** Aborted when the gateway stops: streams would outlive any grace. */
  readonly #stopping: AbortSignal;

  constructor(errors: Errors, defaultTimeoutMs: number, stopping: AbortSignal) {
    this.#errors = errors;
    this.#defaultTimeoutMs = defaultTimeoutMs;
    this.#stopping = stopping;
  }

  /**
   * Makes a call of any kind. `requests` has one message where the method takes one,
   * and the body gives one where it answers with one. Fails with what the client may
   * see, as does the body.
   */
  async call(
    record: CallRecord,
    backend: Backend,
    method: DescMethod,
    requests: AsyncIterable<Message>,
    signal: AbortSignal,
    timeoutMs: number | undefined,
  ): Promise<Answer<AsyncIterable<Message>>> {
    const headers = new Headers(record.headers);
    try {
      if (method.methodKind === "unary") {
        const input = await only(requests);
        const timeout = timeoutMs ?? this.#defaultTimeoutMs;
        const answer = await backend.transport.unary(
          method as DescMethodUnary,
          signal,
          timeout,
          headers,
          input,
        );
        record.code = "OK";
        return this.#answer(answer.header, answer.trailer, one(answer.message));
      }
      const linked = AbortSignal.any([signal, this.#stopping]);
      const answer = await backend.transport.stream(
        method as DescMethodStreaming,
        linked,
        timeoutMs,
        headers,
        requests,
      );
      // Trailers are filled in when the last message has come.
      const trailers = new Headers();
      const messages = this.#watched(record, answer.message, () =>
        copyForwarded(answer.trailer, trailers),
      );
      return { ...this.#answer(answer.header, new Headers(), messages), trailers };
    } catch (cause) {
      throw this.#failed(record, cause);
    }
  }

  #answer<T>(header: Headers, trailer: Headers, body: T): Answer<T> {
    const headers = new Headers();
    const trailers = new Headers();
    copyForwarded(header, headers);
    copyForwarded(trailer, trailers);
    return { headers, trailers, body };
  }

  async *#watched<T>(
    record: CallRecord,
    messages: AsyncIterable<T>,
    ended: () => void,
  ): AsyncIterable<T> {
    try {
      yield* messages;
      record.code = "OK";
      ended();
    } catch (cause) {
      throw this.#failed(record, cause);
    }
  }

  #failed(record: CallRecord, cause: unknown): ConnectError {
    const error =
      this.#stopping.aborted && isAbort(cause)
        ? this.#errors.make("DRAINING")
        : this.#errors.present(cause, record.traceId);
    noteFailure(record, error, this.#errors);
    return error;
  }
}

/** Keeps in the record how a call ended. */
export function noteFailure(record: CallRecord, error: ConnectError, errors: Errors): void {
  record.code = codeName(error.code);
  record.reason = errors.reasonOf(error);
}

/** The headers of an answer that has no trailers of its own. */
export function allHeaders(answer: { headers: Headers; trailers: Headers }): Headers {
  const all = new Headers(answer.headers);
  answer.trailers.forEach((value, name) => {
    all.set(name, value);
  });
  return all;
}

async function only<T>(messages: AsyncIterable<T>): Promise<T> {
  for await (const message of messages) return message;
  throw new Error("a call without a request");
}

async function* one<T>(message: T): AsyncIterable<T> {
  yield message;
}

function isAbort(cause: unknown): boolean {
  return codeName(ConnectError.from(cause).code as Code) === "CANCELLED";
}

/** Whether a message has a field of that name that holds text. */
export function textField(desc: DescMessage, name: string): string | undefined {
  const field = desc.fields.find((one) => one.name === name);
  return field?.fieldKind === "scalar" && field.scalar === 9 ? field.localName : undefined;
}
