import { readFileSync } from "node:fs";
import {
  createFileRegistry,
  type DescExtension,
  type DescMessage,
  type DescMethod,
  type DescService,
  type FileRegistry,
  fromBinary,
  getOption,
  hasOption,
} from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

/** What google.api.http says of one binding of a method. */
export type HttpBinding = {
  /** GET, PUT, POST, DELETE or PATCH. */
  verb: string;
  /** As "/v1/{name=bodies/*}:open". */
  template: string;
  /** "*", the name of a field of the request, or nothing. */
  body: string;
  /** Name of the field of the answer that is the whole body; empty for all of it. */
  responseBody: string;
};

type HttpRule = {
  pattern: { case?: string; value?: unknown };
  body: string;
  responseBody: string;
  additionalBindings: HttpRule[];
};

/** The contract as its descriptors say it; nothing of it is generated code. */
export class Contract {
  readonly registry: FileRegistry;
  /** Every service of the packages of Parcours, in order of their names. */
  readonly services: readonly DescService[];
  readonly #http: DescExtension;

  constructor(descriptorSet: Uint8Array) {
    this.registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
    const http = this.registry.getExtension("google.api.http");
    if (http === undefined) throw new Error("the contract has no google.api.http");
    this.#http = http;
    this.services = [...this.registry]
      .filter((type) => type.kind === "service")
      .filter((service) => service.typeName.startsWith("parcours."))
      .sort((a, b) => (a.typeName < b.typeName ? -1 : 1));
  }

  static read(file: string): Contract {
    return new Contract(readFileSync(file));
  }

  /** The message of that full name. Fails where the contract has none. */
  message(name: string): DescMessage {
    const found = this.registry.getMessage(name);
    if (found === undefined) throw new Error(`the contract has no message ${name}`);
    return found;
  }

  /** The paths on which a method is bound; the first is the main one. */
  bindings(method: DescMethod): HttpBinding[] {
    if (!hasOption(method, this.#http)) return [];
    const rule = getOption(method, this.#http) as unknown as HttpRule;
    return [rule, ...rule.additionalBindings].flatMap((one) => bindingOf(one));
  }
}

function bindingOf(rule: HttpRule): HttpBinding[] {
  const { case: verb, value } = rule.pattern;
  if (verb === undefined) return [];
  const path =
    verb === "custom" ? (value as { kind: string; path: string }) : { kind: verb, path: value };
  return [
    {
      verb: path.kind.toUpperCase(),
      template: String(path.path),
      body: rule.body,
      responseBody: rule.responseBody,
    },
  ];
}

/** "enrolment" of parcours.enrolment.v1.ProgrammeService. */
export function packageOf(service: DescService): string {
  return service.typeName.split(".")[1] ?? "";
}

/** Whether a method changes nothing: it is bound to GET. */
export function onlyReads(contract: Contract, method: DescMethod): boolean {
  return contract.bindings(method)[0]?.verb === "GET";
}
