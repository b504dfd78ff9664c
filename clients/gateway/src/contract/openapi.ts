import {
  type DescEnum,
  type DescExtension,
  type DescField,
  type DescMessage,
  type DescMethod,
  type DescService,
  getOption,
  hasOption,
  type JsonObject,
  type JsonValue,
  ScalarType,
} from "@bufbuild/protobuf";
import { type PathTemplate, parsePathTemplate } from "../transcoding/path_template.ts";
import { Comments } from "./comments.ts";
import { type Contract, type HttpBinding, packageOf } from "./contract.ts";

const INTRODUCTION = `The APIs of Parcours over HTTP: applications, places and agreements
(enrolment), calendar and attendance (scheduling), notes, juries and certificates
(evaluation). Every path here is a method of the gRPC contract, in JSON after the
[ProtoJSON format](https://protobuf.dev/programming-guides/json/): names in
lowerCamelCase, 64-bit integers as strings, instants as RFC 3339, bytes as base64.
Fields that have no value are left out of answers. What a request has and its method
does not know is refused.

**Who calls** is said by \`Authorization: Bearer\`, a token. Each method says which
roles may call it, and within what: their body, what is their own, the installation.

**Changes** take a \`requestId\`, a UUID of your choice: repeated with the same one, a
change is made once. \`etag\`, of a request or as \`If-Match\`, refuses a change of what
has changed since it was read.

**Errors** are a \`google.rpc.Status\`: decide by \`status\` and by the \`reason\` of the
\`ErrorInfo\`, never by the text. All bad fields are named at once.

**Several services** keep a change feed, a clock, an audit trail and uploads of their
own: their paths begin with the service's name. Every other path may, too.

**Streams** are lines of JSON (\`application/x-ndjson\`), or events when
\`Accept: text/event-stream\` asks for them.

**Deadlines**: \`Request-Timeout\` in seconds. 30 s without, none for streams.`;

const PATTERNS: Record<number, { format?: string; pattern?: string; description?: string }> = {
  1: { format: "uuid" },
  2: { pattern: "^[a-z0-9-]{1,63}$" },
  3: { format: "email" },
  4: { pattern: "^\\+[0-9]{7,15}$" },
  5: { format: "uri" },
  6: { pattern: "^[0-9a-f]{64}$" },
  7: { pattern: "^[0-9]*$" },
  8: { pattern: "^[A-Z]{2}$" },
  9: { pattern: "^[0-9]{14}$" },
  10: { pattern: "^[0-9]{9}$" },
  11: { pattern: "^[0-9]{11}$" },
  12: { pattern: "^[0-9]{5}$" },
  13: { pattern: "^[0-9AB]{5}$" },
};

const WELL_KNOWN: Record<string, JsonObject> = {
  "google.protobuf.Timestamp": { type: "string", format: "date-time" },
  "google.protobuf.Duration": { type: "string", pattern: "^-?[0-9]+(\\.[0-9]+)?s$" },
  "google.protobuf.FieldMask": {
    type: "string",
    description: "Names of fields in lowerCamelCase, with commas between them.",
  },
  "google.protobuf.Empty": { type: "object" },
  "google.protobuf.Struct": { type: "object" },
  "google.protobuf.Value": {},
  "google.protobuf.ListValue": { type: "array", items: {} },
  "google.protobuf.Any": {
    type: "object",
    properties: { "@type": { type: "string" } },
    required: ["@type"],
  },
};

const NUMBERS: Partial<Record<ScalarType, JsonObject>> = {
  [ScalarType.BOOL]: { type: "boolean" },
  [ScalarType.STRING]: { type: "string" },
  [ScalarType.BYTES]: { type: "string", contentEncoding: "base64" },
  [ScalarType.DOUBLE]: { type: "number", format: "double" },
  [ScalarType.FLOAT]: { type: "number", format: "float" },
  [ScalarType.INT64]: { type: "string", format: "int64" },
  [ScalarType.SINT64]: { type: "string", format: "int64" },
  [ScalarType.SFIXED64]: { type: "string", format: "int64" },
  [ScalarType.UINT64]: { type: "string", format: "uint64" },
  [ScalarType.FIXED64]: { type: "string", format: "uint64" },
};

const HTTP_OF_CODE: Record<number, string> = {
  3: "400",
  4: "504",
  5: "404",
  6: "409",
  7: "403",
  8: "429",
  9: "400",
  10: "409",
  11: "400",
  12: "501",
  13: "500",
  14: "503",
  16: "401",
};

const REQUIRED = 2;
const OUTPUT_ONLY = 3;

/** How deep messages are taken apart into parameters of a query. */
const QUERY_DEPTH = 3;

/** The contract as an OpenAPI 3.1 document, comments included. */
export function describe(contract: Contract): JsonObject {
  return new Describer(contract).document();
}

type Parts = { path: string; parameters: JsonObject[]; bound: Set<string> };

class Describer {
  readonly #contract: Contract;
  readonly #comments = new Comments();
  readonly #schemas: JsonObject = {};
  readonly #options: Record<string, DescExtension>;
  readonly #reasons = new Map<string, { code: number; en: string }>();
  /** Patterns of the names of resources, as "bodies/{body}/cohorts/{cohort}". */
  readonly #patterns: string[] = [];
  /** Backends that have a package of their own and offer the platform's. */
  readonly #services: string[];

  constructor(contract: Contract) {
    this.#contract = contract;
    const extension = (name: string) => contract.registry.getExtension(name) as DescExtension;
    this.#options = {
      access: extension("parcours.type.v1.access"),
      behavior: extension("google.api.field_behavior"),
      rules: extension("parcours.type.v1.rules"),
      readers: extension("parcours.type.v1.readers"),
      resource: extension("google.api.resource"),
      reasonText: extension("parcours.type.v1.reason_text"),
    };
    for (const value of contract.registry.getEnum("parcours.type.v1.ErrorReason")?.values ?? []) {
      const text = getOption(value, this.#option("reasonText")) as unknown as {
        code: number;
        en: string;
      };
      this.#reasons.set(value.name.replace("ERROR_REASON_", ""), text);
    }
    for (const type of contract.registry) {
      if (type.kind !== "message" || !hasOption(type, this.#option("resource"))) continue;
      const resource = getOption(type, this.#option("resource")) as unknown as {
        pattern: string[];
      };
      this.#patterns.push(...resource.pattern);
    }
    this.#services = [...new Set(contract.services.map(packageOf))].filter((name) =>
      ["enrolment", "scheduling", "evaluation"].includes(name),
    );
  }

  document(): JsonObject {
    const paths: Record<string, JsonObject> = {};
    const shared = this.#sharedPaths();
    for (const service of this.#contract.services) {
      for (const method of service.methods) {
        this.#contract.bindings(method).forEach((binding, at) => {
          const parts = this.#parts(service, method, binding, shared);
          const item = paths[parts.path] ?? {};
          item[binding.verb.toLowerCase()] = this.#operation(service, method, binding, parts, at);
          paths[parts.path] = item;
        });
      }
    }
    this.#addErrors();
    return {
      openapi: "3.1.0",
      info: {
        title: "Parcours",
        version: "v1",
        description: INTRODUCTION,
        license: { name: "EUPL-1.2", identifier: "EUPL-1.2" },
      },
      servers: [{ url: "/" }],
      security: [{ bearer: [] }],
      tags: this.#contract.services
        .filter((service) => service.methods.some((m) => this.#contract.bindings(m).length > 0))
        .map((service) => ({
          name: this.#tag(service),
          description: this.#comments.of(service),
        })),
      paths: paths as JsonObject,
      components: {
        schemas: Object.fromEntries(
          Object.entries(this.#schemas).sort(([a], [b]) => (a < b ? -1 : 1)),
        ),
        securitySchemes: {
          bearer: { type: "http", scheme: "bearer", bearerFormat: "JWT" },
        },
        responses: {
          Error: {
            description: "The call was refused, or failed.",
            content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
          },
        },
      },
    };
  }

  #option(name: string): DescExtension {
    return this.#options[name] as DescExtension;
  }

  /** Shapes of paths that services of different packages have alike. */
  #sharedPaths(): Set<string> {
    const owners = new Map<string, Set<string>>();
    for (const service of this.#contract.services) {
      for (const method of service.methods) {
        for (const binding of this.#contract.bindings(method)) {
          const key = shape(binding);
          owners.set(key, (owners.get(key) ?? new Set()).add(packageOf(service)));
        }
      }
    }
    return new Set([...owners].filter(([, of]) => of.size > 1).map(([key]) => key));
  }

  #tag(service: DescService): string {
    const name = packageOf(service);
    return `${name.charAt(0).toUpperCase()}${name.slice(1)}: ${service.name}`;
  }

  #parts(
    service: DescService,
    method: DescMethod,
    binding: HttpBinding,
    shared: ReadonlySet<string>,
  ): Parts {
    const template = parsePathTemplate(binding.template);
    const names = this.#segmentNames(template);
    const parameters: JsonObject[] = [];
    const segments = template.segments.map((segment, at) => {
      if (segment.kind === "literal") return segment.text;
      const name = names[at] as string;
      const whole = template.variables.find(({ start, end }) => start <= at && at < end);
      parameters.push({
        name,
        in: "path",
        required: true,
        schema: { type: "string" },
        ...(whole === undefined ? {} : { description: this.#pathText(method, whole.field, name) }),
      });
      return `{${name}}`;
    });
    const verb = template.verb === "" ? "" : `:${template.verb}`;
    let path = `/${segments.join("/")}${verb}`;
    if (packageOf(service) === "platform") {
      path = `/{service}${path}`;
      parameters.unshift({
        name: "service",
        in: "path",
        required: true,
        description: "Whose: each has its own.",
        schema: { type: "string", enum: this.#services },
      });
    } else if (shared.has(shape(binding))) {
      path = `/${packageOf(service)}${path}`;
    }
    return { path, parameters, bound: new Set(template.variables.map(({ field }) => field)) };
  }

  #pathText(method: DescMethod, field: string, name: string): string {
    const desc = fieldAt(method.input, field);
    const of = desc === undefined ? "" : this.#comments.of(desc);
    return `Id of the ${name.replace(/[A-Z]/g, (c) => ` ${c.toLowerCase()}`)}, part of \`${field}\`. ${of}`.trim();
  }

  /** Names for the wildcards of a path: those that the patterns of resources have there. */
  #segmentNames(template: PathTemplate): (string | undefined)[] {
    const names: (string | undefined)[] = template.segments.map(() => undefined);
    for (const { start, end } of template.variables) {
      const segments = template.segments.slice(start, end);
      const pattern = this.#patterns
        .map((one) => one.split("/"))
        .find(
          (one) =>
            one.length === segments.length &&
            segments.every((segment, i) =>
              segment.kind === "literal" ? one[i] === segment.text : one[i]?.startsWith("{"),
            ),
        );
      segments.forEach((segment, i) => {
        if (segment.kind === "literal") return;
        names[start + i] = camel(pattern?.[i]?.slice(1, -1) ?? `segment_${start + i}`);
      });
    }
    return names.map((name, i) => name ?? `segment${i}`);
  }

  #operation(
    service: DescService,
    method: DescMethod,
    binding: HttpBinding,
    parts: Parts,
    at: number,
  ): JsonObject {
    const comment = this.#comments.of(method);
    const body = this.#body(method, binding, parts);
    const parameters = [...parts.parameters, ...this.#query(method, binding, parts)];
    return {
      tags: [this.#tag(service)],
      operationId: `${packageOf(service)}.${service.name}.${method.name}${at === 0 ? "" : at + 1}`,
      summary: firstSentence(comment),
      description: [comment, this.#whoMayCall(method), streamText(method)]
        .filter((part) => part !== "")
        .join("\n\n"),
      ...(parameters.length > 0 ? { parameters } : {}),
      ...(body === undefined ? {} : { requestBody: body }),
      responses: this.#responses(method, binding, comment),
      ...(this.#isPublic(method) ? { security: [{}] } : {}),
      "x-grpc-method": `${service.typeName}/${method.name}`,
    };
  }

  #grants(method: DescMethod): { roles: number[]; scope: number }[] {
    const access = getOption(method, this.#option("access")) as unknown as {
      grants: { roles: number[]; scope: number }[];
    };
    return access.grants ?? [];
  }

  #isPublic(method: DescMethod): boolean {
    return this.#grants(method).some(({ scope }) => scope === 4);
  }

  #whoMayCall(method: DescMethod): string {
    const roles = this.#contract.registry.getEnum("parcours.type.v1.Role") as DescEnum;
    const within: Record<number, string> = {
      1: "within their body",
      2: "on what is their own",
      3: "in the whole installation",
    };
    if (this.#isPublic(method)) return "**May call:** anybody, without a token.";
    const lines = this.#grants(method).map(
      (grant) =>
        `${grant.roles.map((role) => spoken(roles.value[role]?.name ?? "", "ROLE_")).join(", ")} ` +
        `(${within[grant.scope] ?? ""})`,
    );
    return `**May call:** ${[...lines, "administrator (everything)"].join("; ")}.`;
  }

  #body(method: DescMethod, binding: HttpBinding, parts: Parts): JsonObject | undefined {
    if (binding.body === "") return undefined;
    const streams =
      method.methodKind === "client_streaming" || method.methodKind === "bidi_streaming";
    let schema: JsonObject;
    let description = "";
    if (binding.body === "*") {
      schema = this.#object(
        method.input,
        method.input.fields.filter((field) => !parts.bound.has(field.name)),
      );
    } else {
      const field = fieldAt(method.input, binding.body) as DescField;
      schema = this.#value(field);
      description = this.#comments.of(field);
    }
    return {
      required: true,
      ...(description === "" ? {} : { description }),
      content: { [streams ? "application/x-ndjson" : "application/json"]: { schema } },
    };
  }

  #query(method: DescMethod, binding: HttpBinding, parts: Parts): JsonObject[] {
    if (binding.body === "*") return [];
    const parameters: JsonObject[] = [];
    const walk = (message: DescMessage, prefix: string, protoPrefix: string, depth: number) => {
      for (const field of message.fields) {
        const name = `${prefix}${field.jsonName}`;
        const protoName = `${protoPrefix}${field.name}`;
        if (parts.bound.has(protoName) || protoName === binding.body) continue;
        const inner = field.message;
        const isTree = inner !== undefined && !inner.typeName.startsWith("google.protobuf.");
        if (field.fieldKind === "map" || (isTree && field.fieldKind === "list")) continue;
        if (isTree) {
          if (depth < QUERY_DEPTH) walk(inner, `${name}.`, `${protoName}.`, depth + 1);
          continue;
        }
        const description = this.#fieldText(field);
        parameters.push({
          name,
          in: "query",
          ...(description === "" ? {} : { description }),
          ...(depth === 0 && this.#has(field, REQUIRED) ? { required: true } : {}),
          schema: this.#value(field),
        });
      }
    };
    walk(method.input, "", "", 0);
    return parameters;
  }

  #responses(method: DescMethod, binding: HttpBinding, comment: string): JsonObject {
    const responseField = fieldAt(method.output, binding.responseBody);
    const schema =
      responseField === undefined ? this.#ref(method.output) : this.#value(responseField);
    const streams =
      method.methodKind === "server_streaming" || method.methodKind === "bidi_streaming";
    const types = streams ? ["application/x-ndjson", "text/event-stream"] : ["application/json"];
    const errors = new Map<string, string[]>();
    for (const [reason] of comment.matchAll(/\b[A-Z][A-Z_]{3,}\b/g)) {
      const text = this.#reasons.get(reason);
      const status = text && HTTP_OF_CODE[text.code];
      if (status === undefined || text === undefined) continue;
      const lines = errors.get(status) ?? [];
      const line = `\`${reason}\`: ${text.en}`;
      if (!lines.includes(line)) errors.set(status, [...lines, line]);
    }
    return {
      "200": {
        description: this.#comments.of(method.output) || "The answer.",
        content: Object.fromEntries(types.map((type) => [type, { schema }])),
      },
      ...Object.fromEntries(
        [...errors]
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([status, lines]) => [
            status,
            {
              description: lines.map((line) => `- ${line}`).join("\n"),
              content: { "application/json": { schema: { $ref: "#/components/schemas/Error" } } },
            },
          ]),
      ),
      default: { $ref: "#/components/responses/Error" },
    };
  }

  #ref(message: DescMessage): JsonObject {
    const known = WELL_KNOWN[message.typeName];
    if (known !== undefined) return known;
    if (message.typeName.startsWith("google.protobuf.") && message.typeName.endsWith("Value")) {
      return this.#value(message.fields[0] as DescField);
    }
    const name = schemaName(message.typeName);
    if (this.#schemas[name] === undefined) {
      this.#schemas[name] = {};
      this.#schemas[name] = this.#object(message, message.fields);
    }
    return { $ref: `#/components/schemas/${name}` };
  }

  #object(message: DescMessage, fields: readonly DescField[]): JsonObject {
    const description = this.#comments.of(message);
    const required = fields.filter((field) => this.#has(field, REQUIRED));
    const choices = message.oneofs.filter((oneof) => oneof.fields.length > 1);
    const notes = choices.map(
      (oneof) =>
        `At most one of ${oneof.fields.map((field) => `\`${field.jsonName}\``).join(", ")}.`,
    );
    return {
      type: "object",
      ...(description || notes.length > 0
        ? { description: [description, ...notes].filter(Boolean).join("\n\n") }
        : {}),
      properties: Object.fromEntries(
        fields.map((field) => [field.jsonName, this.#property(field)]),
      ),
      ...(required.length > 0 ? { required: required.map((field) => field.jsonName) } : {}),
    };
  }

  #property(field: DescField): JsonObject {
    const description = this.#fieldText(field);
    return {
      ...this.#value(field),
      ...(description === "" ? {} : { description }),
      ...(this.#has(field, OUTPUT_ONLY) ? { readOnly: true } : {}),
    };
  }

  #fieldText(field: DescField): string {
    const readers = hasOption(field, this.#option("readers"))
      ? (getOption(field, this.#option("readers")) as unknown as { roles: number[] }).roles
      : undefined;
    const roles = this.#contract.registry.getEnum("parcours.type.v1.Role") as DescEnum;
    const only =
      readers === undefined
        ? ""
        : `**Only read by** ${readers.map((role) => spoken(roles.value[role]?.name ?? "", "ROLE_")).join(", ")}.`;
    const values = field.enum === undefined ? "" : this.#enumText(field.enum);
    return [this.#comments.of(field), only, values].filter((part) => part !== "").join("\n\n");
  }

  #enumText(desc: DescEnum): string {
    return desc.values
      .filter((value) => value.number !== 0)
      .map((value) => `- \`${value.name}\`: ${this.#comments.of(value).replace(/\n/g, " ")}`)
      .join("\n");
  }

  #value(field: DescField): JsonObject {
    switch (field.fieldKind) {
      case "map":
        return { type: "object", additionalProperties: this.#single(field) };
      case "list": {
        const rules = this.#rules(field);
        return {
          type: "array",
          items: this.#single(field),
          ...(rules?.maxItems ? { maxItems: rules.maxItems } : {}),
        };
      }
      default:
        return this.#single(field);
    }
  }

  #single(field: DescField): JsonObject {
    if (field.message !== undefined) return this.#ref(field.message);
    if (field.enum !== undefined) {
      return {
        type: "string",
        enum: field.enum.values.filter((value) => value.number !== 0).map((value) => value.name),
      };
    }
    const schema: JsonObject = {
      ...(NUMBERS[field.scalar as ScalarType] ?? { type: "integer", format: "int32" }),
    };
    const rules = this.#rules(field);
    if (rules === undefined) return schema;
    if (rules.maxCharacters > 0 && schema.contentEncoding === undefined) {
      schema.maxLength = rules.maxCharacters;
    }
    if (schema.type === "integer") {
      if (rules.minimum !== undefined) schema.minimum = Number(rules.minimum);
      if (rules.maximum !== undefined) schema.maximum = Number(rules.maximum);
    }
    return { ...schema, ...(PATTERNS[rules.patternKind] ?? {}) } as JsonObject;
  }

  #rules(field: DescField) {
    if (!hasOption(field, this.#option("rules"))) return undefined;
    return getOption(field, this.#option("rules")) as unknown as {
      maxCharacters: number;
      maxItems: number;
      minimum?: bigint;
      maximum?: bigint;
      patternKind: number;
    };
  }

  #has(field: DescField, behavior: number): boolean {
    const option = this.#option("behavior");
    return hasOption(field, option) && (getOption(field, option) as number[]).includes(behavior);
  }

  #addErrors(): void {
    const detail = (type: string, name: string): JsonValue => ({
      allOf: [
        {
          type: "object",
          properties: { "@type": { const: `type.googleapis.com/${type}` } },
          required: ["@type"],
        },
        this.#ref(this.#contract.message(name)),
      ],
    });
    this.#schemas.Error = {
      type: "object",
      description: "A google.rpc.Status over HTTP.",
      required: ["error"],
      properties: {
        error: {
          type: "object",
          required: ["code", "status", "message"],
          properties: {
            code: { type: "integer", description: "The status of HTTP." },
            status: {
              type: "string",
              description: "The canonical code of gRPC.",
              examples: ["INVALID_ARGUMENT"],
            },
            message: { type: "string", description: "In English, for a person." },
            details: {
              type: "array",
              items: {
                anyOf: ["ErrorInfo", "BadRequest", "LocalizedMessage", "RetryInfo"].map((name) =>
                  detail(`google.rpc.${name}`, `google.rpc.${name}`),
                ),
              },
            },
          },
        },
      },
    };
  }
}

function shape(binding: HttpBinding): string {
  const { segments, verb } = parsePathTemplate(binding.template);
  const text = segments.map((segment) => (segment.kind === "literal" ? segment.text : "*"));
  return `${binding.verb} ${text.join("/")}:${verb}`;
}

function fieldAt(message: DescMessage, path: string): DescField | undefined {
  let field: DescField | undefined;
  let at: DescMessage | undefined = message;
  for (const name of path.split(".")) {
    field = at?.fields.find((one) => one.name === name);
    at = field?.message;
  }
  return field;
}

/** "parcours.enrolment.v1.Cohort" is long in a reader's page; the package says enough. */
function schemaName(typeName: string): string {
  return typeName.replace(/^parcours\.(\w+)\.v1\./, "$1.").replace(/^google\.(?:rpc|type)\./, "");
}

function camel(name: string): string {
  return name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function spoken(name: string, prefix: string): string {
  return name.replace(prefix, "").replace(/_/g, " ").toLowerCase();
}

function firstSentence(comment: string): string {
  const line = comment.replace(/\s+/g, " ");
  return (/^(.*?[.:;])(?: |$)/.exec(line)?.[1] ?? line).replace(/[.:;]$/, "").slice(0, 120);
}

function streamText(method: DescMethod): string {
  switch (method.methodKind) {
    case "server_streaming":
      return '**Streams:** one message on each line, or one event; the last one is `{"error": …}` when the stream breaks. With events, the id is the `nextToken`, and `Last-Event-ID` goes on from there.';
    case "client_streaming":
      return "**Streams:** the body is one message on each line.";
    default:
      return "";
  }
}
