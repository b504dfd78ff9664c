/** Calls to Parcours: the bearer token, errors by reason, and calling again. */
import { readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  type CallOptions,
  type Client,
  Code,
  ConnectError,
  createClient,
} from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-node";
import {
  BadRequestSchema,
  ErrorInfoSchema,
  RetryInfoSchema,
} from "./generated/google/rpc/error_details_pb.js";
import { TokenService } from "./generated/parcours/enrolment/v1/api_client_pb.js";
import { ApplicationService } from "./generated/parcours/enrolment/v1/application_pb.js";
import { EnrolmentService } from "./generated/parcours/enrolment/v1/enrolment_pb.js";
import { ChangeFeedService } from "./generated/parcours/platform/v1/change_feed_pb.js";

const TIMEOUT_MS = 10_000;
const MOST_ATTEMPTS = 10;
/** After which part of its lifetime a token is renewed. */
const RENEW_AFTER = 0.8;

export class Connection {
  readonly applications: Client<typeof ApplicationService>;
  readonly enrolments: Client<typeof EnrolmentService>;
  readonly feed: Client<typeof ChangeFeedService>;
  readonly #tokens: Client<typeof TokenService>;
  readonly #credential: { client: string; secret: string };
  #token = "";
  #renewAt = 0;

  constructor(gateway: string, credential: { client: string; secret: string }) {
    const at = (baseUrl: string) => createConnectTransport({ baseUrl, httpVersion: "1.1" });
    this.#tokens = createClient(TokenService, at(gateway));
    this.applications = createClient(ApplicationService, at(gateway));
    this.enrolments = createClient(EnrolmentService, at(gateway));
    // Every service has a feed of its own: this is enrolment's.
    this.feed = createClient(ChangeFeedService, at(`${gateway}/enrolment`));
    this.#credential = credential;
  }

  static open(gateway: string, keyFile: string): Connection {
    return new Connection(gateway, JSON.parse(readFileSync(keyFile, "utf8")));
  }

  /**
   * The answer of one of the clients; tries again while that may help. A change needs
   * a requestId. With `feedToken`, the answer is never from before that position.
   */
  async call<I, O>(
    method: (request: I, options: CallOptions) => Promise<O>,
    request: I,
    feedToken = "",
  ): Promise<O> {
    let renewed = false;
    for (let attempt = 0; ; ++attempt) {
      try {
        const headers = await this.headers(feedToken);
        return await method(request, { timeoutMs: TIMEOUT_MS, headers });
      } catch (cause) {
        const error = ConnectError.from(cause);
        if (error.code === Code.Unauthenticated && !renewed) {
          renewed = true;
          this.forgetToken();
          continue;
        }
        if (!isPassing(error) || attempt + 1 === MOST_ATTEMPTS) throw error;
        const wait = backoffMs(attempt, error);
        console.error(
          `  ${reasonOf(error) || Code[error.code]}; again in ${(wait / 1000).toFixed(1)} s`,
        );
        await sleep(wait);
      }
    }
  }

  /** What goes with each call. */
  async headers(feedToken = ""): Promise<Record<string, string>> {
    const headers = { authorization: `Bearer ${await this.#bearerToken()}` };
    return feedToken === "" ? headers : { ...headers, "parcours-feed-token": feedToken };
  }

  forgetToken(): void {
    this.#renewAt = 0;
  }

  async #bearerToken(): Promise<string> {
    if (performance.now() < this.#renewAt) return this.#token;
    const { token, expireTime } = await this.#tokens.issueToken(this.#credential, {
      timeoutMs: TIMEOUT_MS,
    });
    const lifetime = expireTime === undefined ? 0 : timestampMs(expireTime) - Date.now();
    this.#token = token;
    this.#renewAt = performance.now() + Math.max(RENEW_AFTER * lifetime, 1000);
    return token;
  }
}

/** Why Parcours refused, as docs/errors.md lists it; empty when it was not Parcours. */
export function reasonOf(error: ConnectError): string {
  return error.findDetails(ErrorInfoSchema)[0]?.reason ?? "";
}

/** Whether the same call, with the same requestId, may succeed later. */
export function isPassing(error: ConnectError): boolean {
  switch (error.code) {
    case Code.Unavailable:
    case Code.DeadlineExceeded:
      return true;
    case Code.ResourceExhausted:
      return error.findDetails(RetryInfoSchema).length > 0;
    case Code.Aborted:
      return ["CONFLICT", ""].includes(reasonOf(error));
    case Code.Internal:
    case Code.Unknown:
      // A connection that broke in the middle; Parcours would have said why.
      return reasonOf(error) === "";
    default:
      return false;
  }
}

/**
 * 0.1 s, 0.2 s, 0.4 s … 10 s, or what the error asks for, and up to half of it more
 * at random, so that those who failed together do not come back together.
 */
export function backoffMs(attempt: number, error?: ConnectError): number {
  const asked = error?.findDetails(RetryInfoSchema)[0]?.retryDelay;
  const atLeast = asked === undefined ? 0 : Number(asked.seconds) * 1000 + asked.nanos / 1e6;
  return Math.max(Math.min(100 * 2 ** attempt, 10_000), atLeast) * (1 + Math.random() / 2);
}

/** For a person: the reason, and all fields that are wrong. */
export function describe(error: ConnectError): string {
  const fields = error.findDetails(BadRequestSchema).flatMap((bad) => bad.fieldViolations);
  return [
    `Refused: ${reasonOf(error) || Code[error.code]}: ${error.rawMessage}`,
    ...fields.map(
      ({ field, description }) => `  ${field}: ${description.replace(`${field} `, "")}`,
    ),
  ].join("\n");
}
