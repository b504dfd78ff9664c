import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { JsonObject, JsonValue } from "@bufbuild/protobuf";
import { localBackend } from "../src/backend/backend.ts";
import { packageOf } from "../src/contract/contract.ts";
import { describe as describeContract } from "../src/contract/openapi.ts";
import { Directory } from "../src/directory.ts";
import { SERVICES } from "../src/options.ts";
import { overlap, parsePathTemplate } from "../src/transcoding/path_template.ts";
import { contract as compile } from "./support/contracts.ts";
import { startGateway } from "./support/gateways.ts";

const contract = compile();
const nowhere = {
  unary: () => Promise.reject(new Error("not called")),
  stream: () => Promise.reject(new Error("not called")),
};
const backends = [
  ...SERVICES.map((name) => ({ ...localBackend(name, nowhere), platform: true })),
  localBackend("gateway", nowhere),
];
const directory = new Directory(contract, backends);

test("every service of the contract has a backend, by its package", () => {
  for (const service of contract.services) {
    const names = directory.of(service).map(({ name }) => name);
    const own = packageOf(service);
    assert.deepEqual(names, own === "platform" ? [...SERVICES] : [own], service.typeName);
  }
});

test("every method is bound to a path", () => {
  for (const { method } of directory.places()) {
    assert.ok(contract.bindings(method).length > 0, `${method.parent.typeName}.${method.name}`);
  }
});

test("no path of a backend fits two methods", () => {
  for (const backend of backends) {
    const bound = [...directory.boundPlaces()]
      .filter((place) => place.backend === backend)
      .map(({ method, binding }) => ({
        name: `${method.name}: ${binding.verb} ${binding.template}`,
        verb: binding.verb,
        template: parsePathTemplate(binding.template),
      }));
    assert.ok(bound.length > 0, backend.name);
    bound.forEach((a, at) => {
      for (const b of bound.slice(at + 1)) {
        assert.ok(a.verb !== b.verb || !overlap(a.template, b.template), `${a.name} and ${b.name}`);
      }
    });
  }
});

test("no name of a backend begins a path of the contract", () => {
  for (const { binding } of directory.boundPlaces()) {
    const [, first = ""] = binding.template.split("/");
    assert.equal(first, "v1", binding.template);
  }
});

describe("the description for OpenAPI", () => {
  const document = describeContract(contract) as JsonObject;
  const paths = document.paths as Record<string, Record<string, JsonObject>>;
  const operations = Object.values(paths).flatMap((item) => Object.values(item));

  test("has an operation for each binding", () => {
    const bound = contract.services.flatMap((service) =>
      service.methods.flatMap((method) => contract.bindings(method)),
    );
    assert.equal(operations.length, bound.length);
    const ids = operations.map(({ operationId }) => operationId);
    assert.equal(new Set(ids).size, ids.length);
  });

  test("is OpenAPI 3.1", async () => {
    const { Validator } = await import("@seriousme/openapi-schema-validator");
    const result = await new Validator().validate(structuredClone(document));
    assert.ok(result.valid, JSON.stringify(result.errors, null, 1));
  });

  test("refers to nothing that is not there", () => {
    const walk = (value: JsonValue): void => {
      if (Array.isArray(value)) for (const one of value) walk(one);
      else if (typeof value === "object" && value !== null) {
        if (typeof value.$ref === "string") {
          let at: JsonValue | undefined = document;
          for (const part of value.$ref.slice(2).split("/")) at = (at as JsonObject)?.[part];
          assert.ok(at !== undefined, value.$ref);
        }
        for (const one of Object.values(value)) walk(one);
      }
    };
    walk(document);
  });

  test("says of every operation what it does, who may call it and every parameter of its path", () => {
    for (const [path, item] of Object.entries(paths)) {
      for (const operation of Object.values(item)) {
        const id = String(operation.operationId);
        assert.notEqual(operation.summary, "", id);
        assert.match(String(operation.description), /\*\*May call:\*\* \w/, id);
        const parameters = (operation.parameters ?? []) as { name: string; in: string }[];
        const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name).sort();
        const inPath = parameters.filter((one) => one.in === "path").map(({ name }) => name);
        assert.deepEqual(inPath.sort(), named, id);
        assert.ok(
          named.every((name) => !/^segment/.test(name as string)),
          `${id}: ${path}`,
        );
        const distinct = new Set(parameters.map((one) => `${one.in} ${one.name}`));
        assert.equal(distinct.size, parameters.length, id);
      }
    }
  });

  test("has the comments of the contract", () => {
    const schemas = (document.components as JsonObject).schemas as Record<string, JsonObject>;
    for (const [name, schema] of Object.entries(schemas)) {
      if (!/^(?:enrolment|scheduling|evaluation|platform)\./.test(name)) continue;
      assert.ok(schema.description, name);
      for (const [field, property] of Object.entries(schema.properties as JsonObject)) {
        assert.ok((property as JsonObject).description, `${name}.${field}`);
      }
    }
    assert.match(JSON.stringify(schemas["enrolment.Cohort"]), /readOnly/);
  });
});

test("every path of the description leads to its method", async () => {
  const asked: string[] = [];
  const note = (method: { parent: { typeName: string }; name: string }) => {
    asked.push(`${method.parent.typeName}/${method.name}`);
    return Promise.reject(new Error("noted"));
  };
  const noting = { unary: note, stream: note };
  const gateway = await startGateway(
    contract,
    backends.map((backend) => ({ ...backend, transport: noting })),
  );
  const { paths } = describeContract(contract) as {
    paths: Record<string, Record<string, JsonObject>>;
  };
  for (const [path, item] of Object.entries(paths)) {
    for (const [verb, operation] of Object.entries(item)) {
      const filled = path.replace("{service}", "evaluation").replace(/\{\w+\}/g, "a");
      asked.length = 0;
      const response = await fetch(`${gateway.url}${filled}`, {
        method: verb.toUpperCase(),
        ...(operation.requestBody === undefined
          ? {}
          : { body: "{}", headers: { "content-type": "application/json" } }),
      });
      await response.text();
      assert.deepEqual(asked, [operation["x-grpc-method"]], `${verb} ${path}: ${response.status}`);
    }
  }
  await gateway.stop();
});
