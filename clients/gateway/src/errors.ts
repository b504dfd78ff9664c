import { randomBytes } from "node:crypto";
import {
  create,
  type DescExtension,
  type DescMessage,
  fromBinary,
  getOption,
  hasOption,
  type JsonObject,
  toJson,
} from "@bufbuild/protobuf";
import { reflect } from "@bufbuild/protobuf/reflect";
import { Code, ConnectError } from "@connectrpc/connect";
import type { Contract } from "./contract/contract.ts";
import type { Log } from "./log.ts";
import { copyForwarded } from "./metadata.ts";

/** A text in both languages, or one that is the same in both. */
export type Text = string | { en: string; fr: string };

type Description = { domain: string; code: Code; http?: number; en: string; fr: string };

const DOMAIN = "parcours";

/** Reasons that only somebody who speaks HTTP can be given; see docs/api/gateway.md. */
const OWN_DOMAIN = "gateway.parcours";
const OWN_REASONS: Record<string, Omit<Description, "domain">> = {
  PATH_UNKNOWN: {
    code: Code.NotFound,
    en: "There is nothing at this path.",
    fr: "Il n’y a rien à cette adresse.",
  },
  SERVICE_NOT_NAMED: {
    code: Code.NotFound,
    en: "Several services offer this; say which: {paths}.",
    fr: "Plusieurs services l’offrent ; précisez lequel : {paths}.",
  },
  METHOD_NOT_ALLOWED: {
    code: Code.Unimplemented,
    http: 405,
    en: "This path takes {allowed} only.",
    fr: "Cette adresse n’accepte que {allowed}.",
  },
  METHOD_NOT_OFFERED: {
    code: Code.Unimplemented,
    en: "This service does not offer this method.",
    fr: "Ce service n’offre pas cette méthode.",
  },
  MEDIA_TYPE_NOT_SUPPORTED: {
    code: Code.InvalidArgument,
    http: 415,
    en: "The body must be {expected}.",
    fr: "Le corps doit être en {expected}.",
  },
  BODY_MALFORMED: {
    code: Code.InvalidArgument,
    en: "The body is not {expected}.",
    fr: "Le corps n’est pas {expected}.",
  },
  BODY_TOO_LARGE: {
    code: Code.InvalidArgument,
    http: 413,
    en: "The body is larger than {maximum} bytes.",
    fr: "Le corps dépasse {maximum} octets.",
  },
  URL_TOO_LONG: {
    code: Code.InvalidArgument,
    http: 414,
    en: "The address is longer than {maximum} characters.",
    fr: "L’adresse dépasse {maximum} caractères.",
  },
  FIELD_UNKNOWN: {
    code: Code.InvalidArgument,
    en: "{field} is no field of this request.",
    fr: "{field} n’est pas un champ de cette demande.",
  },
  FIELD_REPEATED: {
    code: Code.InvalidArgument,
    en: "{field} is given more than once.",
    fr: "{field} est donné plusieurs fois.",
  },
};

/** What the body, the path or the query says wrongly of one field. */
export type Violation = { field: string; reason: string; metadata?: Record<string, Text> };

/** An error made here, in the form of the catalogue. */
export class GatewayError extends ConnectError {
  /** Where the code alone would say less. */
  readonly http: number | undefined;
  /** Headers of the answer, as Allow. */
  readonly headers: Record<string, string> = {};
  readonly #made = true;

  // ConnectError takes whatever looks like one for one of its own, and subclasses
  // inherit that: here it would let the words of others through.
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && #made in value;
  }

  constructor(message: string, code: Code, http?: number) {
    super(message, code);
    this.http = http;
  }
}

/** Of https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto. */
const HTTP_STATUS: Record<Code, number> = {
  [Code.Canceled]: 499,
  [Code.Unknown]: 500,
  [Code.InvalidArgument]: 400,
  [Code.DeadlineExceeded]: 504,
  [Code.NotFound]: 404,
  [Code.AlreadyExists]: 409,
  [Code.PermissionDenied]: 403,
  [Code.ResourceExhausted]: 429,
  [Code.FailedPrecondition]: 400,
  [Code.Aborted]: 409,
  [Code.OutOfRange]: 400,
  [Code.Unimplemented]: 501,
  [Code.Internal]: 500,
  [Code.Unavailable]: 503,
  [Code.DataLoss]: 500,
  [Code.Unauthenticated]: 401,
};

/** The HTTP status of a canonical code. */
export function httpStatus(error: ConnectError): number {
  return (error instanceof GatewayError ? error.http : undefined) ?? HTTP_STATUS[error.code];
}

/** "INVALID_ARGUMENT". */
export function codeName(code: Code): string {
  const name = Code[code] ?? "Unknown";
  return name === "Canceled" ? "CANCELLED" : name.replace(/\B[A-Z]/g, "_$&").toUpperCase();
}

/** Makes errors from the catalogue of the contract, and reads those of services. */
export class Errors {
  readonly #contract: Contract;
  readonly #log: Log;
  readonly #catalogue = new Map<string, Description>();
  readonly #errorInfo: DescMessage;

  constructor(contract: Contract, log: Log) {
    this.#contract = contract;
    this.#log = log;
    this.#errorInfo = contract.message("google.rpc.ErrorInfo");
    const reasons = contract.registry.getEnum("parcours.type.v1.ErrorReason");
    const text = contract.registry.getExtension("parcours.type.v1.reason_text") as DescExtension;
    for (const value of reasons?.values ?? []) {
      if (!hasOption(value, text)) continue;
      const { code, en, fr } = getOption(value, text) as unknown as Description;
      this.#catalogue.set(value.name.replace("ERROR_REASON_", ""), {
        domain: DOMAIN,
        code,
        en,
        fr,
      });
    }
    for (const [reason, description] of Object.entries(OWN_REASONS)) {
      this.#catalogue.set(reason, { domain: OWN_DOMAIN, ...description });
    }
  }

  /** An error with that reason, its places filled with `metadata`. */
  make(reason: string, metadata: Record<string, Text> = {}): GatewayError {
    const { domain, code, http, en, fr } = this.#describe(reason);
    const error = new GatewayError(fill(en, metadata, "en"), code, http);
    error.details = [
      this.#detail("google.rpc.ErrorInfo", {
        reason,
        domain,
        metadata: inEnglish(metadata),
      }),
      this.#detail("google.rpc.LocalizedMessage", {
        locale: "fr",
        message: fill(fr, metadata, "fr"),
      }),
    ];
    return error;
  }

  /** The same, to be tried again after that many seconds. */
  later(reason: string, seconds: number, metadata: Record<string, Text> = {}): GatewayError {
    const error = this.make(reason, metadata);
    error.details.push(
      this.#detail("google.rpc.RetryInfo", { retryDelay: { seconds: BigInt(seconds), nanos: 0 } }),
    );
    return error;
  }

  /** INVALID_ARGUMENT with all bad fields. REQUIRES: at least one. */
  invalid(violations: readonly Violation[]): GatewayError {
    const reasons = new Set(violations.map((violation) => violation.reason));
    const first = violations[0] as Violation;
    const error =
      reasons.size === 1
        ? this.make(first.reason, { ...first.metadata, field: first.field })
        : this.make("INVALID_FIELDS");
    const listed = violations.slice(0, 20).map(({ field, reason, metadata }) => {
      const { en, fr } = this.#describe(reason);
      const filled = { ...metadata, field };
      return {
        field,
        reason,
        description: fill(en, filled, "en"),
        localizedMessage: this.#message("google.rpc.LocalizedMessage", {
          locale: "fr",
          message: fill(fr, filled, "fr"),
        }),
      };
    });
    const violation = this.#contract.message("google.rpc.BadRequest.FieldViolation");
    error.details.push(
      this.#detail("google.rpc.BadRequest", {
        fieldViolations: listed.map((one) => create(violation, one)),
      }),
    );
    return error;
  }

  /**
   * What may be shown of a failure: what a service said in the form of the
   * catalogue stays as it is; of anything else only its kind. What nobody outside
   * can act on is logged under a reference.
   */
  present(cause: unknown, traceId = ""): ConnectError {
    if (cause instanceof GatewayError) return cause;
    const error = ConnectError.from(cause);
    const reason = this.reasonOf(error);
    if (reason !== "") {
      const http = this.#catalogue.get(reason)?.http;
      const shown = new GatewayError(error.rawMessage, error.code, http);
      copyForwarded(error.metadata, shown.metadata);
      shown.details = error.details;
      return shown;
    }
    switch (error.code) {
      case Code.Canceled:
        return new GatewayError("cancelled", Code.Canceled);
      case Code.DeadlineExceeded:
        return this.make("DEADLINE_EXCEEDED");
      case Code.Unimplemented:
        return this.make("METHOD_NOT_OFFERED");
      case Code.Unavailable:
        this.#log.warning("backend unreachable", { error: String(error), trace_id: traceId });
        return this.make("OWNER_UNAVAILABLE", {
          resource: { en: "this resource", fr: "cette ressource" },
        });
      default: {
        const reference = randomBytes(8).toString("hex");
        this.#log.error("internal error", { reference, error: String(error), trace_id: traceId });
        return this.make("INTERNAL", { reference });
      }
    }
  }

  /** The reason that an error carries, or nothing. */
  reasonOf(error: ConnectError): string {
    for (const detail of this.#decoded(error)) {
      if (detail.desc.typeName === this.#errorInfo.typeName) {
        return (detail.message as unknown as { reason: string }).reason;
      }
    }
    return "";
  }

  /** {"error": …} with every detail in JSON, as google.rpc.Status is over HTTP. */
  toJson(error: ConnectError): JsonObject {
    const details = this.#decoded(error).map(({ desc, message }) => ({
      "@type": `type.googleapis.com/${desc.typeName}`,
      ...(toJson(desc, message, { registry: this.#contract.registry }) as JsonObject),
    }));
    return {
      error: {
        code: httpStatus(error),
        status: codeName(error.code),
        message: error.rawMessage,
        ...(details.length > 0 ? { details } : {}),
      },
    };
  }

  /** Seconds after which a call may be made again, where the error says so. */
  retryAfter(error: ConnectError): number | undefined {
    for (const { desc, message } of this.#decoded(error)) {
      if (desc.typeName !== "google.rpc.RetryInfo") continue;
      const delay = (message as unknown as { retryDelay?: { seconds: bigint; nanos: number } })
        .retryDelay;
      if (delay !== undefined) return Number(delay.seconds) + (delay.nanos > 0 ? 1 : 0);
    }
    return undefined;
  }

  *#decodedLazily(error: ConnectError) {
    for (const detail of error.details) {
      if ("desc" in detail) {
        yield { desc: detail.desc, message: create(detail.desc, detail.value) };
        continue;
      }
      const desc = this.#contract.registry.getMessage(detail.type);
      if (desc === undefined) continue;
      try {
        yield { desc, message: fromBinary(desc, detail.value) };
      } catch {
        // A detail that cannot be read says nothing.
      }
    }
  }

  #decoded(error: ConnectError) {
    return [...this.#decodedLazily(error)];
  }

  #describe(reason: string): Description {
    const found = this.#catalogue.get(reason);
    if (found === undefined) throw new Error(`no such reason: ${reason}`);
    return found;
  }

  #message(type: string, value: Record<string, unknown>) {
    return create(this.#contract.message(type), value);
  }

  #detail(type: string, value: Record<string, unknown>) {
    const desc = this.#contract.message(type);
    return { desc, value: reflect(desc, create(desc, value)).message };
  }
}

function fill(text: string, metadata: Record<string, Text>, language: "en" | "fr"): string {
  return text.replace(/\{(\w+)\}/g, (place, key: string) => {
    const value = metadata[key];
    if (value === undefined) return place;
    return typeof value === "string" ? value : value[language];
  });
}

function inEnglish(metadata: Record<string, Text>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(metadata).map(([key, text]) => [key, typeof text === "string" ? text : text.en]),
  );
}
