import {
  type DescExtension,
  type DescField,
  type DescMessage,
  getOption,
  hasOption,
  type Message,
} from "@bufbuild/protobuf";
import { type ReflectMessage, reflect } from "@bufbuild/protobuf/reflect";
import type { Contract } from "../contract/contract.ts";
import type { Violation } from "../errors.ts";

type Rules = {
  maxCharacters: number;
  multiline: boolean;
  minimum?: bigint;
  maximum?: bigint;
  patternKind: number;
  maxItems: number;
};

const REQUIRED = 2;
const OUTPUT_ONLY = 3;

const DEFAULT_CHARACTERS = 500;
const DEFAULT_ITEMS = 1000;

/** What common/rpc/text_form.h refuses, but for lines and tabs. */
const FORBIDDEN =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  /[\p{Cs}\p{Noncharacter_Code_Point}\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069\ufff9-\ufffb\ufeff\u{e0001}-\u{e007f}]/u;

const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
const LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?";
const EMAIL = new RegExp(
  `^(?=.{1,254}$)(?=[^@]{1,64}@)${ATOM}(?:\\.${ATOM})*@(?:${LABEL}\\.)+(?!\\d+$)${LABEL}$`,
);

/** Numbers of FieldRules.PatternKind, and how their text is said in errors. */
const FORMS: ReadonlyMap<number, { form: RegExp; expected: string }> = new Map([
  [
    1,
    {
      form: /^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$/,
      expected: "a UUID",
    },
  ],
  [2, { form: /^[a-z0-9-]{1,63}$/, expected: "an id of 1 to 63 of a-z, 0-9 and hyphen" }],
  [3, { form: EMAIL, expected: "an e-mail address" }],
]);

/**
 * The checks that the contract alone asks of a request, as the services make them
 * (common/rpc/validation.h), for the rules that the messages of webhooks use.
 */
export class RequestRules {
  readonly #behaviour: DescExtension;
  readonly #reference: DescExtension;
  readonly #rules: DescExtension;
  readonly #patterns = new Map<string, string>();

  constructor(contract: Contract) {
    const { registry } = contract;
    this.#behaviour = registry.getExtension("google.api.field_behavior") as DescExtension;
    this.#reference = registry.getExtension("google.api.resource_reference") as DescExtension;
    this.#rules = registry.getExtension("parcours.type.v1.rules") as DescExtension;
    const resource = registry.getExtension("google.api.resource") as DescExtension;
    const definition = registry.getExtension("google.api.resource_definition") as DescExtension;
    const add = ({ type, pattern }: { type: string; pattern: string[] }) =>
      this.#patterns.set(type, pattern[0] as string);
    for (const type of registry) {
      if (type.kind === "message" && hasOption(type, resource)) {
        add(getOption(type, resource) as unknown as { type: string; pattern: string[] });
      }
    }
    for (const file of registry.files) {
      for (const one of getOption(file, definition) as unknown as {
        type: string;
        pattern: string[];
      }[]) {
        add(one);
      }
    }
  }

  /**
   * Everything that is wrong with a request. In the message that `masked` names
   * only the fields that `mask` names must be there.
   */
  violations(
    desc: DescMessage,
    request: Message,
    masked?: { field: string; mask: ReadonlySet<string> },
  ): Violation[] {
    const found: Violation[] = [];
    this.#message(reflect(desc, request), "", masked, found);
    return found;
  }

  #message(
    message: ReflectMessage,
    prefix: string,
    masked: { field: string; mask: ReadonlySet<string> } | undefined,
    found: Violation[],
  ): void {
    for (const field of message.fields) {
      const behaviour = getOption(field, this.#behaviour) as unknown as number[];
      if (behaviour.includes(OUTPUT_ONLY)) continue;
      const path = prefix + field.name;
      const inMask = masked === undefined || isMasked(path, masked);
      if (behaviour.includes(REQUIRED) && inMask && !message.isSet(field)) {
        found.push({ field: path, reason: "FIELD_REQUIRED" });
        continue;
      }
      if (message.isSet(field)) this.#field(message, field, path, masked, found);
    }
  }

  #field(
    message: ReflectMessage,
    field: DescField,
    path: string,
    masked: { field: string; mask: ReadonlySet<string> } | undefined,
    found: Violation[],
  ): void {
    const rules = getOption(field, this.#rules) as unknown as Rules;
    if (field.fieldKind === "list") {
      const list = message.get(field);
      const most = rules.maxItems || DEFAULT_ITEMS;
      if (list.size > most) {
        found.push({
          field: path,
          reason: "FIELD_MALFORMED",
          metadata: { expected: `a list of at most ${most}` },
        });
        return;
      }
      let i = 0;
      for (const item of list) this.#value(field, rules, item, `${path}[${i++}]`, true, found);
    } else if (field.fieldKind === "message") {
      const inner = message.get(field);
      // Messages of google.protobuf are read by whoever uses them.
      if (inner.desc.typeName.startsWith("parcours.")) {
        this.#message(inner, `${path}.`, masked, found);
      }
    } else {
      this.#value(field, rules, message.get(field), path, false, found);
    }
  }

  #value(
    field: DescField,
    rules: Rules,
    value: unknown,
    path: string,
    listed: boolean,
    found: Violation[],
  ): void {
    const wrong = (reason: string, metadata: Record<string, string> = {}) =>
      found.push({ field: path, reason, metadata });
    if (typeof value === "string") {
      if (FORBIDDEN.test(rules.multiline ? value.replace(/[\t\n]|\r\n/g, "") : value)) {
        wrong("FIELD_FORBIDDEN_CHARACTER");
        return;
      }
      const most = rules.maxCharacters || DEFAULT_CHARACTERS;
      if ([...value].length > most) {
        wrong("FIELD_TOO_LONG", { maximum: String(most) });
        return;
      }
      const reference = getOption(field, this.#reference) as unknown as { type: string };
      const pattern = this.#patterns.get(reference.type);
      if (pattern !== undefined) {
        if (!matches(pattern, value)) {
          wrong("FIELD_MALFORMED", { expected: `a name ${pattern.replace(/\{\w+\}/g, "*")}` });
        }
        return;
      }
      const form = FORMS.get(rules.patternKind);
      if (form !== undefined && !form.form.test(value)) {
        wrong("FIELD_MALFORMED", { expected: form.expected });
      } else if (form === undefined && rules.patternKind !== 0) {
        throw new Error(`${path} has a form that is not checked here`);
      }
    } else if (field.enum !== undefined) {
      if (!field.enum.value[value as number] || (listed && value === 0)) {
        wrong("UNKNOWN_ENUM_VALUE");
      }
    } else if (typeof value === "number") {
      if (rules.minimum !== undefined && value < Number(rules.minimum)) {
        if (rules.minimum === 0n) wrong("FIELD_NEGATIVE");
        else {
          wrong("FIELD_OUT_OF_RANGE", {
            minimum: String(rules.minimum),
            maximum: String(rules.maximum ?? ""),
          });
        }
      }
    }
  }
}

/** Whether a field is one that the update replaces, or holds or lies in one. */
function isMasked(path: string, masked: { field: string; mask: ReadonlySet<string> }): boolean {
  if (!path.startsWith(`${masked.field}.`)) return true;
  const inner = path.slice(masked.field.length + 1);
  return [...masked.mask].some(
    (one) => one === inner || inner.startsWith(`${one}.`) || one.startsWith(`${inner}.`),
  );
}

function matches(pattern: string, name: string): boolean {
  return new RegExp(`^${pattern.replace(/\{\w+\}/g, "[a-z0-9-]{1,63}")}$`).test(name);
}
