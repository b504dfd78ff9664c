import { create, type DescMethodUnary, fromJson, toJson } from "@bufbuild/protobuf";
import type { Backend } from "../backend/backend.ts";
import type { Contract } from "../contract/contract.ts";
import type { Errors, Violation } from "../errors.ts";
import { type HttpRequest, type HttpResponse, send } from "../server/exchange.ts";
import { CALL_FAULTS, type CallFault, FAULT_HEADER, type Faults } from "./faults.ts";

const JSON_TYPE = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-store",
};
const MAX_BODY = 4096;
const MAX_EVERY = 1000;
const CLOCK = "parcours.platform.v1.ClockService";
const AMOUNT = /^(\d{1,5})([dhm])$/;
const UNIT_MS: Record<string, number> = { d: 86_400_000, h: 3_600_000, m: 60_000 };

type Time = { businessTime?: string };

/**
 * What a sandbox offers beside the API: its faults and its time, below /sandbox.
 * Other services follow enrolment, so its clock moves first.
 */
export class Sandbox {
  readonly #contract: Contract;
  readonly #errors: Errors;
  readonly #backends: readonly Backend[];
  readonly #faults: Faults;

  /** `backends` in the order in which their clocks move. */
  constructor(contract: Contract, errors: Errors, backends: readonly Backend[], faults: Faults) {
    this.#contract = contract;
    this.#errors = errors;
    this.#backends = backends;
    this.#faults = faults;
  }

  /** Answers a path of the sandbox; says whether it is one. */
  async handle(path: string, request: HttpRequest, response: HttpResponse): Promise<boolean> {
    const routes: Record<string, Record<string, () => Promise<object>>> = {
      "/sandbox": { GET: () => this.#state(request) },
      "/sandbox/faults": {
        GET: async () => this.#describeFaults(),
        PUT: async () => this.#setFaults(await this.#body(request)),
        DELETE: async () => this.#setFaults({}),
      },
      "/sandbox/time": { POST: async () => this.#advance(request, await this.#body(request)) },
    };
    const route = routes[path];
    if (route === undefined) return false;
    const answer = route[request.method ?? ""];
    if (answer === undefined) {
      const allowed = Object.keys(route).join(", ");
      const error = this.#errors.make("METHOD_NOT_ALLOWED", { allowed });
      error.headers.allow = allowed;
      throw error;
    }
    send(request, response, 200, JSON_TYPE, `${JSON.stringify(await answer(), null, 2)}\n`);
    return true;
  }

  async #state(request: HttpRequest): Promise<object> {
    const times = await Promise.all(
      this.#backends.map(async (backend) => [
        backend.name,
        (await this.#call(request, backend, "GetTime", {})).businessTime,
      ]),
    );
    return { businessTime: Object.fromEntries(times), faults: this.#describeFaults() };
  }

  #describeFaults(): object {
    return {
      calls: this.#faults.rule ?? null,
      webhooks: { ...this.#faults.webhooks },
      header: `${FAULT_HEADER}: ${CALL_FAULTS.join(" | ")}`,
    };
  }

  #setFaults(body: Record<string, unknown>): object {
    const violations: Violation[] = unknownKeys("", body, ["calls", "webhooks"]);
    const calls = this.#readRule(body.calls, violations);
    const webhooks = { duplicate: false, outOfOrder: false };
    if (body.webhooks !== undefined) {
      const given = objectAt("webhooks", body.webhooks, violations);
      violations.push(...unknownKeys("webhooks.", given, Object.keys(webhooks)));
      for (const key of ["duplicate", "outOfOrder"] as const) {
        const value = given[key] ?? false;
        if (typeof value === "boolean") webhooks[key] = value;
        else violations.push(malformed(`webhooks.${key}`, "true or false", "true ou false"));
      }
    }
    if (violations.length > 0) throw this.#errors.invalid(violations);
    this.#faults.rule = calls;
    Object.assign(this.#faults.webhooks, webhooks);
    return this.#describeFaults();
  }

  #readRule(
    value: unknown,
    violations: Violation[],
  ): { fault: CallFault; every: number } | undefined {
    if (value === undefined || value === null) return undefined;
    const given = objectAt("calls", value, violations);
    violations.push(...unknownKeys("calls.", given, ["fault", "every"]));
    const fault = CALL_FAULTS.find((one) => one === given.fault);
    const names = CALL_FAULTS.join(", ");
    if (fault === undefined) violations.push(malformed("calls.fault", names, names));
    const every = given.every ?? 1;
    if (!Number.isInteger(every) || Number(every) < 1 || Number(every) > MAX_EVERY) {
      const range = { minimum: "1", maximum: String(MAX_EVERY) };
      violations.push({ field: "calls.every", reason: "FIELD_OUT_OF_RANGE", metadata: range });
    }
    return fault === undefined ? undefined : { fault, every: Number(every) };
  }

  async #advance(request: HttpRequest, body: Record<string, unknown>): Promise<object> {
    const violations = unknownKeys("", body, ["to", "by"]);
    const [first] = this.#backends;
    const amount = AMOUNT.exec(String(body.by ?? ""));
    let target = Date.parse(String(body.to ?? ""));
    if ((body.to === undefined) === (body.by === undefined)) {
      violations.push(malformed("to", "given, or else by", "donné, ou sinon by"));
    } else if (body.to !== undefined && Number.isNaN(target)) {
      violations.push(malformed("to", "2025-10-01T09:00:00+02:00", "2025-10-01T09:00:00+02:00"));
    } else if (body.by !== undefined && amount === null) {
      violations.push(malformed("by", "7d, 36h or 90m", "7d, 36h ou 90m"));
    }
    if (violations.length > 0) throw this.#errors.invalid(violations);
    if (amount !== null && first !== undefined) {
      const now = await this.#call(request, first, "GetTime", {});
      const [, count, unit = "m"] = amount;
      target = Date.parse(now.businessTime ?? "") + Number(count) * (UNIT_MS[unit] as number);
    }
    const businessTime = new Date(target).toISOString();
    const decisions: Record<string, number> = {};
    for (const backend of this.#backends) {
      const answer = await this.#call(request, backend, "AdvanceTime", { businessTime });
      decisions[backend.name] = answer.decisionCount ?? 0;
    }
    return { businessTime, decisions };
  }

  /** Calls the clock of a service in the name of whoever asks. */
  async #call(
    request: HttpRequest,
    backend: Backend,
    name: string,
    input: object,
  ): Promise<Time & { decisionCount?: number }> {
    const method = this.#contract.registry
      .getService(CLOCK)
      ?.methods.find((one) => one.name === name) as DescMethodUnary;
    const header = new Headers();
    const { authorization } = request.headers;
    if (authorization !== undefined) header.set("authorization", authorization);
    const { registry } = this.#contract;
    const answer = await backend.transport.unary(
      method,
      undefined,
      60_000,
      header,
      fromJson(method.input, input as never, { registry }),
    );
    return toJson(method.output, create(method.output, answer.message as never), {
      registry,
    }) as Time;
  }

  async #body(request: HttpRequest): Promise<Record<string, unknown>> {
    const pieces: Buffer[] = [];
    let length = 0;
    for await (const piece of request) {
      length += piece.length;
      if (length > MAX_BODY) {
        throw this.#errors.make("BODY_TOO_LARGE", { maximum: String(MAX_BODY) });
      }
      pieces.push(piece);
    }
    try {
      const body: unknown = JSON.parse(Buffer.concat(pieces).toString("utf8"));
      if (isObject(body)) return body;
    } catch {
      // The same answer as for what is no object.
    }
    throw this.#errors.make("BODY_MALFORMED", {
      expected: { en: "a JSON object", fr: "un objet JSON" },
    });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function malformed(field: string, en: string, fr: string): Violation {
  return { field, reason: "FIELD_MALFORMED", metadata: { expected: { en, fr } } };
}

function objectAt(field: string, value: unknown, violations: Violation[]): Record<string, unknown> {
  if (isObject(value)) return value;
  violations.push(malformed(field, "a JSON object", "un objet JSON"));
  return {};
}

function unknownKeys(
  prefix: string,
  value: Record<string, unknown>,
  known: readonly string[],
): Violation[] {
  return Object.keys(value)
    .filter((key) => !known.includes(key))
    .map((key) => ({ field: prefix + key, reason: "FIELD_UNKNOWN" }));
}
