import { setTimeout as sleep } from "node:timers/promises";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import type { Backend } from "../backend/backend.ts";
import type { Errors } from "../errors.ts";

/** The header by which a call asks for a fault. */
export const FAULT_HEADER = "parcours-sandbox-fault";

/**
 * What can go wrong with a call: refused because of its rate, refused before or lost
 * after it was carried out, late.
 */
export const CALL_FAULTS = ["429", "503", "503-after", "slow"] as const;
export type CallFault = (typeof CALL_FAULTS)[number];

const SLOW_MS = 3000;
const RETRY_AFTER_SECONDS = 2;

/** The faults of a sandbox: what partners' programs must bear, when they ask for it. */
export class Faults {
  /** Every so many calls, counted from now on; undefined: none but those asked for. */
  #rule: { fault: CallFault; every: number } | undefined;
  #calls = 0;
  /** Read by the dispatcher of webhooks at each event. */
  readonly webhooks = { duplicate: false, outOfOrder: false };

  get rule(): { fault: CallFault; every: number } | undefined {
    return this.#rule;
  }

  set rule(rule: { fault: CallFault; every: number } | undefined) {
    this.#rule = rule;
    this.#calls = 0;
  }

  /** The fault of the next call, which asks for `wanted`, or the rule's. */
  next(wanted: string | null): CallFault | undefined {
    const asked = CALL_FAULTS.find((fault) => fault === wanted);
    if (asked !== undefined) return asked;
    if (this.#rule === undefined) return undefined;
    this.#calls += 1;
    return this.#calls % this.#rule.every === 0 ? this.#rule.fault : undefined;
  }
}

/** `backend`, whose calls meet the faults. Streams meet those that come before them. */
export function withFaults(backend: Backend, faults: Faults, errors: Errors): Backend {
  const { transport } = backend;
  const before = async (
    header: ConstructorParameters<typeof Headers>[0],
  ): Promise<CallFault | undefined> => {
    const fault = faults.next(new Headers(header).get(FAULT_HEADER));
    if (fault === "429") throw errors.later("OVERLOADED", RETRY_AFTER_SECONDS);
    if (fault === "503") throw errors.later("DATABASE_UNAVAILABLE", RETRY_AFTER_SECONDS);
    if (fault === "slow") await sleep(SLOW_MS);
    return fault;
  };
  const faulty: Transport = {
    unary: async (method, signal, timeoutMs, header, input, contextValues) => {
      const begin = performance.now();
      const fault = await before(header);
      const left =
        timeoutMs === undefined ? undefined : Math.ceil(timeoutMs - (performance.now() - begin));
      if (left !== undefined && left <= 0) {
        throw new ConnectError("the deadline has passed", Code.DeadlineExceeded);
      }
      const answer = await transport.unary(method, signal, left, header, input, contextValues);
      if (fault === "503-after") throw errors.later("COMMIT_IN_DOUBT", RETRY_AFTER_SECONDS);
      return answer;
    },
    stream: async (method, signal, timeoutMs, header, input, contextValues) => {
      await before(header);
      return transport.stream(method, signal, timeoutMs, header, input, contextValues);
    },
  };
  return {
    name: backend.name,
    platform: backend.platform,
    transport: faulty,
    ready: (signal) => backend.ready(signal),
    close: () => backend.close(),
  };
}
