import {
  create,
  type DescEnum,
  type DescEnumValue,
  type DescExtension,
  type DescMethod,
  type DescMethodUnary,
  getOption,
} from "@bufbuild/protobuf";
import { Code, ConnectError, type Transport } from "@connectrpc/connect";
import type { Contract } from "../contract/contract.ts";
import type { Errors } from "../errors.ts";

/** Who calls, as enrolment has understood their credential. */
export interface Caller {
  readonly subject: string;
  /** Names without their prefix: "COORDINATOR". */
  readonly roles: ReadonlySet<string>;
  /** "bodies/opale"; empty for who serves the whole installation. */
  readonly body: string;
  /** "afdas"; empty for who is no funder. */
  readonly funder: string;
}

/** Within what a caller may call a method. */
export interface Reach {
  /** Empty: the whole installation. */
  readonly body: string;
  /** Only what is this funder's; undefined: everything. */
  readonly funder: string | undefined;
}

/** Of the caller's headers, what says who they are and on whose trace. */
const CREDENTIALS = ["authorization", "traceparent", "tracestate", "x-forwarded-for"];

/** Who may belong to no body. */
const WITHOUT_BODY = ["SERVICE", "ADMINISTRATOR", "AUDITOR"];

type Access = { grants: { roles: number[]; scope: number }[]; audit: number };

/**
 * Lets pass whom the option `parcours.type.v1.access` of a method names, by the
 * rule of the services' shell (common/rpc/service_method.h). Who somebody is says
 * enrolment: the gateway reads no token.
 */
export class Gate {
  readonly #contract: Contract;
  readonly #errors: Errors;
  readonly #enrolment: Transport;
  readonly #access: DescExtension;
  readonly #roles: ReadonlyMap<number, DescEnumValue>;
  readonly #scopes: ReadonlyMap<number, string>;

  constructor(contract: Contract, errors: Errors, enrolment: Transport) {
    this.#contract = contract;
    this.#errors = errors;
    this.#enrolment = enrolment;
    this.#access = contract.registry.getExtension("parcours.type.v1.access") as DescExtension;
    this.#roles = new Map(this.#enum("Role").values.map((value) => [value.number, value]));
    this.#scopes = new Map(
      this.#enum("Scope").values.map((value) => [value.number, short(value, "SCOPE_")]),
    );
    const service = this.#method("parcours.gateway.v1.WebhookService").parent;
    const open = service.methods.filter((method) => this.#accessOf(method).grants.length === 0);
    if (open.length > 0) throw new Error(`${open[0]?.name} does not say who may call it`);
  }

  /** Who calls. Throws UNAUTHENTICATED, and what enrolment says. */
  async caller(headers: Headers, signal: AbortSignal): Promise<Caller> {
    if (!headers.has("authorization")) throw this.#errors.make("UNAUTHENTICATED");
    const answer = (await this.#ask(
      this.#method("parcours.platform.v1.CallerService"),
      {},
      headers,
      signal,
    )) as unknown as { subject: string; roles: number[]; body: string; funder: string };
    const roles = answer.roles.flatMap((number) => {
      const role = this.#roles.get(number);
      return role === undefined ? [] : [short(role, "ROLE_")];
    });
    return {
      subject: answer.subject,
      roles: new Set(roles),
      body: answer.body,
      funder: answer.funder,
    };
  }

  /** Within what the caller may call `method`; throws PERMISSION_DENIED. */
  reach(method: DescMethod, caller: Caller): Reach {
    const granted = (scope: string) =>
      this.#accessOf(method)
        .grants.filter((grant) => this.#scopes.get(grant.scope) === scope)
        .flatMap((grant) => grant.roles)
        .map((role) => this.#roles.get(role) as DescEnumValue)
        .filter((role) => caller.roles.has(short(role, "ROLE_")));
    if (caller.body === "") {
      const withoutBody = granted("BODY").some((role) =>
        WITHOUT_BODY.includes(short(role, "ROLE_")),
      );
      if (caller.roles.has("ADMINISTRATOR") || withoutBody) return { body: "", funder: undefined };
    } else {
      if (caller.roles.has("ADMINISTRATOR") || granted("BODY").length > 0) {
        return { body: caller.body, funder: undefined };
      }
      // Of what is somebody's own, only a funder's is kept here.
      if (granted("OWN").some((role) => short(role, "ROLE_") === "FUNDER") && caller.funder) {
        return { body: caller.body, funder: caller.funder };
      }
    }
    throw this.#errors.make("PERMISSION_DENIED");
  }

  /** Whether a read leaves an entry in the journal. */
  isJournalled(method: DescMethod): boolean {
    return this.#accessOf(method).audit !== 0;
  }

  /** NOT_FOUND when there is no such body. The caller must be allowed to know. */
  async checkBody(body: string, headers: Headers, signal: AbortSignal): Promise<void> {
    const service = this.#contract.registry.getService("parcours.enrolment.v1.ProgrammeService");
    await this.#ask(service?.method.getBody as DescMethod, { name: body }, headers, signal);
  }

  async #ask(
    method: DescMethod,
    request: Record<string, unknown>,
    headers: Headers,
    signal: AbortSignal,
  ) {
    const passed = new Headers();
    for (const name of CREDENTIALS) {
      const value = headers.get(name);
      if (value !== null) passed.set(name, value);
    }
    try {
      const answer = await this.#enrolment.unary(
        method as DescMethodUnary,
        signal,
        undefined,
        passed,
        create(method.input, request),
      );
      return answer.message;
    } catch (cause) {
      const error = ConnectError.from(cause);
      if (error.code === Code.Unavailable && this.#errors.reasonOf(error) === "") {
        throw this.#errors.make("OWNER_UNAVAILABLE", {
          resource: { en: "the caller’s account", fr: "le compte de l’appelant" },
        });
      }
      throw error;
    }
  }

  #accessOf(method: DescMethod): Access {
    return getOption(method, this.#access) as unknown as Access;
  }

  #enum(name: string): DescEnum {
    return this.#contract.registry.getEnum(`parcours.type.v1.${name}`) as DescEnum;
  }

  #method(service: string): DescMethod {
    return this.#contract.registry.getService(service)?.methods[0] as DescMethod;
  }
}

function short(value: DescEnumValue, prefix: string): string {
  return value.name.slice(prefix.length);
}
