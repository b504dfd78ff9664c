import { readFileSync } from "node:fs";
import type { SecureClientSessionOptions } from "node:http2";
import {
  create,
  createFileRegistry,
  type DescMethod,
  type DescMethodUnary,
  fromJson,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import { createAsyncIterable } from "@connectrpc/connect/protocol";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { GatewayError } from "../errors.ts";
import { type Address, formatAddress } from "../flags.ts";
import type { TlsFiles } from "../options.ts";
import type { Backend } from "./backend.ts";

/** A service at its addresses. */
export type RemoteOptions = {
  name: string;
  addresses: readonly Address[];
  /** Mutual TLS with these files, by absolute choice of the operator; otherwise plain text. */
  tls: TlsFiles | undefined;
  maxMessageBytes: number;
  /** Whether a method may be called again when it is not known what became of it. */
  isRead: (method: DescMethod) => boolean;
  /** Whether an error is the service's own word. */
  isAnswer: (error: ConnectError) => boolean;
};

/** A connection to keep alive through silence, where nobody else would notice its end. */
const PING = { pingIntervalMs: 60_000, pingTimeoutMs: 15_000 };

type Replica = { transport: Transport; sessions: Http2SessionManager };

/**
 * A service behind one or several addresses, which take turns. A read that a replica
 * did not answer goes to the next one; a change never does.
 */
export class RemoteBackend implements Backend {
  readonly name: string;
  readonly platform = true;
  readonly transport: Transport;
  readonly #options: RemoteOptions;
  #replicas: Replica[];
  #turn = 0;

  constructor(options: RemoteOptions) {
    this.name = options.name;
    this.#options = options;
    this.#replicas = options.addresses.map((address) => this.#connect(address));
    this.transport = {
      unary: (method, signal, timeoutMs, header, input, contextValues) =>
        this.#call(method, signal, timeoutMs, (transport, left) =>
          transport.unary(method, signal, left, header, input, contextValues),
        ),
      stream: async (method, signal, timeoutMs, header, input, contextValues) => {
        const watch = <T extends { message: AsyncIterable<unknown> }>(answer: T): T => ({
          ...answer,
          message: untilLost(answer.message, signal),
        });
        if (method.methodKind !== "server_streaming") {
          const { transport } = this.#next();
          const call = transport.stream(method, signal, timeoutMs, header, input, contextValues);
          return watch(await call.catch((cause) => Promise.reject(whatHappened(cause, signal))));
        }
        // One message, which may be sent again.
        const messages = await Array.fromAsync(input);
        const answer = await this.#call(method, signal, timeoutMs, (transport, left) =>
          transport.stream(
            method,
            signal,
            left,
            header,
            createAsyncIterable(messages),
            contextValues,
          ),
        );
        return watch(answer);
      },
    };
  }

  async ready(signal: AbortSignal): Promise<boolean> {
    const answers = await Promise.all(
      this.#replicas.map(async ({ transport }) => {
        try {
          const answer = await transport.unary(CHECK, signal, 1000, undefined, create(CHECK.input));
          return (answer.message as unknown as { status: number }).status === SERVING;
        } catch {
          return false;
        }
      }),
    );
    return answers.includes(true);
  }

  /** Reads the files of TLS again; running calls end on their old connections. */
  reload(): void {
    const before = this.#replicas;
    this.#replicas = this.#options.addresses.map((address) => this.#connect(address));
    // Streams end within ten minutes by themselves, as the services' connections do.
    setTimeout(() => close(before), 660_000).unref();
  }

  close(): void {
    close(this.#replicas);
  }

  async #call<T>(
    method: DescMethod,
    signal: AbortSignal | undefined,
    timeoutMs: number | undefined,
    attempt: (transport: Transport, left: number | undefined) => Promise<T>,
  ): Promise<T> {
    const end = timeoutMs === undefined ? undefined : performance.now() + timeoutMs;
    // A connection that has just ended may cost an attempt.
    const attempts = this.#options.isRead(method) ? Math.max(2, this.#replicas.length) : 1;
    for (let made = 1; ; ++made) {
      const left = end === undefined ? undefined : Math.ceil(end - performance.now());
      if (left !== undefined && left <= 0) {
        throw new ConnectError("the deadline has passed", Code.DeadlineExceeded);
      }
      try {
        return await attempt(this.#next().transport, left);
      } catch (cause) {
        const error = whatHappened(cause, signal);
        const lost = error.code === Code.Unavailable && !this.#options.isAnswer(error);
        if (!lost || made === attempts || signal?.aborted) throw error;
      }
    }
  }

  #next(): Replica {
    this.#turn = (this.#turn + 1) % this.#replicas.length;
    return this.#replicas[this.#turn] as Replica;
  }

  #connect(address: Address): Replica {
    const { name, tls, maxMessageBytes } = this.#options;
    const baseUrl = `${tls === undefined ? "http" : "https"}://${formatAddress(address)}`;
    const sessions = new Http2SessionManager(
      baseUrl,
      tls === undefined ? undefined : PING,
      tls === undefined ? undefined : tlsOptions(name, tls),
    );
    const transport = createGrpcTransport({
      baseUrl,
      sessionManager: sessions,
      acceptCompression: [],
      readMaxBytes: 16 * maxMessageBytes,
    });
    return { transport, sessions };
  }
}

/** Codes by which the library tells the many ways in which a connection ends. */
const OF_CONNECTIONS = new Set([
  Code.Aborted,
  Code.Canceled,
  Code.Internal,
  Code.Unavailable,
  Code.Unknown,
]);

/** The error of a call; UNAVAILABLE where its connection ended before the service had said how. */
function whatHappened(cause: unknown, signal: AbortSignal | undefined): ConnectError {
  const error = ConnectError.from(cause);
  const isOurs = error instanceof GatewayError || signal?.aborted;
  if (isOurs || error.metadata.has("grpc-status") || !OF_CONNECTIONS.has(error.code)) return error;
  return new ConnectError(error.rawMessage, Code.Unavailable, undefined, undefined, error);
}

async function* untilLost<T>(
  messages: AsyncIterable<T>,
  signal: AbortSignal | undefined,
): AsyncIterable<T> {
  try {
    yield* messages;
  } catch (cause) {
    throw whatHappened(cause, signal);
  }
}

function close(replicas: readonly Replica[]): void {
  for (const { sessions } of replicas) sessions.abort();
}

/** The service is held to its host name in the certificate, whatever its address. */
function tlsOptions(name: string, files: TlsFiles): SecureClientSessionOptions {
  return {
    ca: readFileSync(files.ca),
    cert: readFileSync(files.certificate),
    key: readFileSync(files.key),
    servername: `${name}.parcours.internal`,
    minVersion: "TLSv1.2",
  };
}

const SERVING = 1;

/** grpc.health.v1.Health/Check, which is not of our contract. */
const CHECK = healthCheck();

function healthCheck(): DescMethodUnary {
  const file = fromJson(FileDescriptorProtoSchema, {
    name: "grpc/health/v1/health.proto",
    package: "grpc.health.v1",
    syntax: "proto3",
    messageType: [
      {
        name: "HealthCheckRequest",
        field: [{ name: "service", number: 1, type: "TYPE_STRING", label: "LABEL_OPTIONAL" }],
      },
      {
        name: "HealthCheckResponse",
        field: [{ name: "status", number: 1, type: "TYPE_INT32", label: "LABEL_OPTIONAL" }],
      },
    ],
    service: [
      {
        name: "Health",
        method: [
          {
            name: "Check",
            inputType: ".grpc.health.v1.HealthCheckRequest",
            outputType: ".grpc.health.v1.HealthCheckResponse",
          },
        ],
      },
    ],
  });
  const registry = createFileRegistry(file, () => undefined);
  return registry.getService("grpc.health.v1.Health")?.methods[0] as DescMethodUnary;
}
