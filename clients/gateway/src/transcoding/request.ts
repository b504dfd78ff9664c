import {
  create,
  type DescField,
  type DescMessage,
  fromJson,
  type JsonObject,
  type JsonValue,
  type Message,
  type Registry,
  ScalarType,
} from "@bufbuild/protobuf";
import type { Violation } from "../errors.ts";

/** What a request over HTTP says, by where it says it. */
export type HttpRequest = {
  /** Fields bound to the path. */
  variables: ReadonlyMap<string, string>;
  /** In order, decoded. */
  query: Iterable<[name: string, value: string]>;
  /** The body, parsed; absent when the binding has none. */
  body?: JsonValue;
};

/** A request, or everything that is wrong with it. */
export type Decoded =
  | { ok: true; message: Message }
  | { ok: false; violations: readonly Violation[] };

const FORMS: Partial<Record<ScalarType, string>> = {
  [ScalarType.BOOL]: "true or false",
  [ScalarType.BYTES]: "base64",
  [ScalarType.STRING]: "a string of Unicode characters",
  [ScalarType.DOUBLE]: "a number",
  [ScalarType.FLOAT]: "a number",
};

const WELL_KNOWN: Record<string, string> = {
  "google.protobuf.Timestamp": 'an instant as "2026-11-23T08:00:00Z"',
  "google.protobuf.Duration": 'a duration in seconds as "15s"',
  "google.protobuf.FieldMask": 'names of fields as "displayName,startDate"',
};

/** Reads requests of one message from JSON, path and query. Thread-compatible. */
export class RequestDecoder {
  readonly #desc: DescMessage;
  readonly #registry: Registry;
  /** "*", a field of the request, or nothing. */
  readonly #body: string;

  constructor(desc: DescMessage, body: string, registry: Registry) {
    this.#desc = desc;
    this.#body = body;
    this.#registry = registry;
    if (body !== "" && body !== "*" && fieldOf(desc, body) === undefined) {
      throw new Error(`${desc.typeName} has no field ${body} for the body`);
    }
  }

  decode(request: HttpRequest): Decoded {
    const violations: Violation[] = [];
    const json = this.#fromBody(request.body, violations);
    this.#addQuery(json, request, violations);
    this.#addVariables(json, request.variables, violations);
    try {
      const message = fromJson(this.#desc, json, { registry: this.#registry });
      return violations.length > 0 ? { ok: false, violations } : { ok: true, message };
    } catch {
      violations.push(...this.#explain(this.#desc, json, ""));
      if (violations.length === 0) {
        violations.push(malformed("body", `a ${this.#desc.name} in JSON`));
      }
      return { ok: false, violations };
    }
  }

  #fromBody(body: JsonValue | undefined, violations: Violation[]): JsonObject {
    if (this.#body === "" || body === undefined) return Object.create(null);
    if (this.#body !== "*") {
      const json: JsonObject = Object.create(null);
      json[(fieldOf(this.#desc, this.#body) as DescField).jsonName] = body;
      return json;
    }
    if (isObject(body)) return body;
    violations.push(malformed("body", "an object"));
    return Object.create(null);
  }

  #addQuery(json: JsonObject, request: HttpRequest, violations: Violation[]): void {
    const seen = new Set<string>();
    for (const [name, value] of request.query) {
      const path = this.#body === "*" ? undefined : pathOf(this.#desc, name);
      const leaf = path?.at(-1);
      const taken =
        path !== undefined &&
        (path[0]?.name === this.#body || request.variables.has(protoPath(path)));
      if (path === undefined || leaf === undefined || taken) {
        violations.push({ field: shownName(name), reason: "FIELD_UNKNOWN" });
        continue;
      }
      const key = protoPath(path);
      if (leaf.fieldKind !== "list" && seen.has(key)) {
        violations.push({ field: key, reason: "FIELD_REPEATED" });
        continue;
      }
      seen.add(key);
      const holder = open(json, path);
      const converted = fromText(leaf, value);
      if (leaf.fieldKind !== "list") {
        holder[leaf.jsonName] = converted;
        continue;
      }
      const list = holder[leaf.jsonName];
      if (Array.isArray(list)) list.push(converted);
      else holder[leaf.jsonName] = [converted];
    }
  }

  #addVariables(
    json: JsonObject,
    variables: ReadonlyMap<string, string>,
    violations: Violation[],
  ): void {
    for (const [name, value] of variables) {
      const path = pathOf(this.#desc, name);
      const leaf = path?.at(-1);
      if (path === undefined || leaf === undefined) {
        throw new Error(`${this.#desc.typeName} has no field ${name} for the path`);
      }
      // What is no object is found when the body is decoded.
      const holder = open(json, path);
      for (const key of new Set([leaf.jsonName, leaf.name])) {
        const said = holder[key];
        if (said !== undefined && said !== null && said !== "" && said !== value) {
          violations.push(malformed(name, "what the path says"));
        }
      }
      delete holder[leaf.name];
      holder[leaf.jsonName] = fromText(leaf, value);
    }
  }

  /** Where `json` is not what `desc` asks for, by asking for each field alone. */
  #explain(desc: DescMessage, json: JsonValue, prefix: string): Violation[] {
    if (!isObject(json)) return [malformed(prefix || "body", "an object")];
    const found: Violation[] = [];
    for (const [name, value] of Object.entries(json)) {
      const field = fieldOf(desc, name);
      if (field === undefined) {
        found.push({ field: `${prefix}${shownName(name)}`, reason: "FIELD_UNKNOWN" });
        continue;
      }
      const path = `${prefix}${field.name}`;
      if (this.#takes(desc, { [name]: value })) continue;
      const inner = field.message;
      if (field.fieldKind === "list" && !Array.isArray(value)) {
        found.push(malformed(path, "a list"));
      } else if (inner !== undefined && !isLeaf(inner) && field.fieldKind !== "map") {
        const elements = Array.isArray(value) ? value : [value];
        elements.forEach((element, at) => {
          const place = Array.isArray(value) ? `${path}[${at}]` : path;
          if (isObject(element)) found.push(...this.#explain(inner, element, `${place}.`));
          else found.push(malformed(place, "an object"));
        });
      } else if (field.enum !== undefined) {
        found.push({ field: path, reason: "UNKNOWN_ENUM_VALUE" });
      } else {
        found.push(malformed(path, formOf(field)));
      }
    }
    return found;
  }

  #takes(desc: DescMessage, json: JsonObject): boolean {
    try {
      fromJson(desc, json, { registry: this.#registry });
      return true;
    } catch {
      return false;
    }
  }
}

/** An empty request of a message. */
export function emptyRequest(desc: DescMessage): Message {
  return create(desc);
}

function malformed(field: string, expected: string): Violation {
  return { field, reason: "FIELD_MALFORMED", metadata: { expected } };
}

/** A name that somebody sent, as far as it may be one. */
function shownName(name: string): string {
  return /^[\w.$@[\]-]{1,100}$/.test(name) ? name : "(a name)";
}

function isObject(json: JsonValue | undefined): json is JsonObject {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/** Whether a message has a form of its own in JSON. */
function isLeaf(desc: DescMessage): boolean {
  return desc.typeName.startsWith("google.protobuf.");
}

function fieldOf(desc: DescMessage, name: string): DescField | undefined {
  return desc.fields.find((field) => field.name === name || field.jsonName === name);
}

/** The fields of a dotted name whose last one has a value in text; nothing where there are none. */
function pathOf(desc: DescMessage, name: string): DescField[] | undefined {
  const path: DescField[] = [];
  let at: DescMessage | undefined = desc;
  for (const part of name.split(".")) {
    const field: DescField | undefined = at && fieldOf(at, part);
    if (field === undefined) return undefined;
    path.push(field);
    at = field.fieldKind === "message" && !isLeaf(field.message) ? field.message : undefined;
  }
  return at === undefined && path.at(-1)?.fieldKind !== "map" && hasText(path.at(-1))
    ? path
    : undefined;
}

const WITHOUT_TEXT = /^google\.protobuf\.(?:Any|Struct|Value|ListValue|Empty)$/;

function hasText(field: DescField | undefined): boolean {
  const message = field?.message;
  return message === undefined || (isLeaf(message) && !WITHOUT_TEXT.test(message.typeName));
}

function protoPath(path: readonly DescField[]): string {
  return path.map((field) => field.name).join(".");
}

/** The object that holds the last field of `path`, made where it is missing. */
function open(json: JsonObject, path: readonly DescField[]): JsonObject {
  let at = json;
  for (const field of path.slice(0, -1)) {
    const there = at[field.jsonName] ?? at[field.name];
    if (isObject(there)) {
      at = there;
      continue;
    }
    const made: JsonObject = Object.create(null);
    if (there === undefined || there === null) {
      delete at[field.name];
      at[field.jsonName] = made;
    }
    at = made;
  }
  return at;
}

/** A value of the query or the path as JSON has it; what does not fit stays text. */
function fromText(field: DescField, text: string): JsonValue {
  const scalar = field.scalar ?? wrapped(field.message);
  if (scalar === ScalarType.BOOL) return text === "true" ? true : text === "false" ? false : text;
  if (field.enum !== undefined && /^-?\d{1,10}$/.test(text)) return Number(text);
  return text;
}

/** The scalar in google.protobuf.BoolValue and its like. */
function wrapped(message: DescMessage | undefined): ScalarType | undefined {
  return message?.typeName.endsWith("Value") && isLeaf(message)
    ? message.fields[0]?.scalar
    : undefined;
}

function formOf(field: DescField): string {
  if (field.fieldKind === "map") return "an object";
  if (field.message !== undefined) {
    return WELL_KNOWN[field.message.typeName] ?? `a ${field.message.name} in JSON`;
  }
  return (
    (field.scalar !== undefined ? FORMS[field.scalar] : undefined) ?? "a whole number that fits"
  );
}
