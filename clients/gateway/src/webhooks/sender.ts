import { isIPv4 } from "node:net";
import { Webhook as Signer } from "standardwebhooks";
import { Agent, buildConnector, type Dispatcher, request } from "undici";
import {
  type AddressPolicy,
  AddressRefused,
  checkedLookup,
  isAllowed,
  literalOf,
} from "./addresses.ts";
import type { Clock } from "./clock.ts";
import { Failure } from "./record.ts";

/** What came of one attempt. */
export interface Outcome {
  readonly time: number;
  readonly durationMs: number;
  /** 0 when there was no answer. */
  readonly status: number;
  readonly failure: number;
  /** How long the receiver asks to be left alone, where it does. */
  readonly retryAfterMs?: number;
}

export interface SenderOptions {
  readonly clock: Clock;
  readonly policy: AddressPolicy;
  readonly connectTimeoutMs?: number;
  readonly totalTimeoutMs?: number;
  /** Authorities of receivers' certificates instead of the system's: for tests. */
  readonly ca?: string;
}

/** Of an answer this much is read, and thrown away. */
const ANSWER_BYTES = 16 * 1024;
const LONGEST_RETRY_AFTER_MS = 24 * 3600 * 1000;

/** The headers of Standard Webhooks, with a signature by each secret. */
export function signedHeaders(
  id: string,
  time: number,
  payload: string,
  secrets: readonly string[],
): Record<string, string> {
  const timestamp = new Date(time);
  return {
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(time / 1000)),
    "webhook-signature": secrets
      .map((secret) => new Signer(secret).sign(id, timestamp, payload))
      .join(" "),
  };
}

/** Posts events to receivers, over addresses that are allowed and no others. */
export class Sender {
  readonly #options: SenderOptions;
  readonly #agent: Agent;

  constructor(options: SenderOptions) {
    this.#options = options;
    const { policy } = options;
    const connect = buildConnector({
      timeout: options.connectTimeoutMs ?? 5_000,
      allowH2: false,
      lookup: checkedLookup(policy),
      ...(options.ca === undefined ? {} : { ca: options.ca }),
    });
    this.#agent = new Agent({
      connect: (target, callback) => {
        // A name is looked up by checkedLookup; an address is not looked up.
        const literal = literalOf(new URL(`http://${bracketed(target.hostname)}`));
        if (literal !== undefined && !isAllowed(policy, literal)) {
          callback(new AddressRefused(), null);
          return;
        }
        connect(target, (error, socket) => {
          if (error !== null) {
            callback(error, null);
          } else if (!isAllowed(policy, socket.remoteAddress ?? "")) {
            socket.destroy();
            callback(new AddressRefused(), null);
          } else {
            callback(null, socket);
          }
        });
      },
      pipelining: 1,
      keepAliveTimeout: 4_000,
      keepAliveMaxTimeout: 30_000,
      maxHeaderSize: 16 * 1024,
    });
  }

  /** One attempt; never throws. `signal` ends it before its time. */
  async send(
    url: string,
    id: string,
    payload: string,
    secrets: readonly string[],
    signal?: AbortSignal,
  ): Promise<Outcome> {
    const { clock } = this.#options;
    const time = clock.now();
    const timeout = new AbortController();
    const stop = clock.after(this.#options.totalTimeoutMs ?? 15_000, () => timeout.abort());
    try {
      const answer = await request(url, {
        dispatcher: this.#agent,
        method: "POST",
        headers: {
          "content-type": "application/json",
          "user-agent": "Parcours-Webhooks/1",
          ...signedHeaders(id, time, payload, secrets),
        },
        body: payload,
        signal: signal === undefined ? timeout.signal : AbortSignal.any([timeout.signal, signal]),
        headersTimeout: 0,
        bodyTimeout: 0,
      });
      await discard(answer);
      const taken = answer.statusCode >= 200 && answer.statusCode < 300;
      const retryAfterMs =
        answer.statusCode === 429 || answer.statusCode === 503
          ? retryAfter(answer.headers["retry-after"], clock.now())
          : undefined;
      return {
        time,
        durationMs: clock.now() - time,
        status: answer.statusCode,
        failure: taken ? Failure.none : Failure.status,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      };
    } catch (error) {
      return {
        time,
        durationMs: clock.now() - time,
        status: 0,
        failure: timeout.signal.aborted ? Failure.timeout : failureOf(error),
      };
    } finally {
      stop();
    }
  }

  async close(): Promise<void> {
    await this.#agent.destroy();
  }
}

/** The status has decided: what follows may end or break as it likes. */
async function discard(answer: Dispatcher.ResponseData): Promise<void> {
  answer.body.on("error", () => {});
  try {
    await answer.body.dump({ limit: ANSWER_BYTES });
  } catch {
    answer.body.destroy();
  }
}

/** Seconds or a date (RFC 9110, 10.2.3). */
export function retryAfter(header: unknown, now: number): number | undefined {
  if (typeof header !== "string") return undefined;
  const text = header.trim();
  const wait = /^\d{1,10}$/.test(text) ? Number(text) * 1000 : Date.parse(text) - now;
  if (Number.isNaN(wait) || wait <= 0) return undefined;
  return Math.min(wait, LONGEST_RETRY_AFTER_MS);
}

function bracketed(hostname: string): string {
  const bare = hostname.replace(/^\[|\]$/g, "");
  return bare.includes(":") && !isIPv4(bare) ? `[${bare}]` : bare;
}

function failureOf(error: unknown): number {
  for (let one: unknown = error; one instanceof Error; one = one.cause) {
    const code = String((one as NodeJS.ErrnoException).code ?? "");
    if (code === "ADDRESS_REFUSED") return Failure.addressRefused;
    const call = String((one as NodeJS.ErrnoException).syscall ?? "");
    if (/^(ENOTFOUND|EAI_|ENODATA)/.test(code) || /^(query|getaddrinfo)/.test(call)) {
      return Failure.nameNotResolved;
    }
    if (code === "UND_ERR_CONNECT_TIMEOUT" || code === "ETIMEDOUT") return Failure.timeout;
    if (/^HPE_|^UND_ERR_HEADERS_OVERFLOW$/.test(code) || one.name === "HTTPParserError") {
      return Failure.answerMalformed;
    }
    if (/CERT|^ERR_TLS|^ERR_SSL|SELF_SIGNED|UNABLE_TO_/.test(code)) return Failure.certificate;
    if (one instanceof AggregateError && one.errors.length > 0) {
      return failureOf(one.errors[0]);
    }
  }
  return Failure.connection;
}
