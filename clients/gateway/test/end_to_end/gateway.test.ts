/**
 * The gateway as a process before the three services as processes.
 *
 * usage: PARCOURS_BINARIES=build/dev node --test gateway.test.ts
 */
import assert from "node:assert/strict";
import { createHash, randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { type Client, Code, ConnectError, createClient, type Transport } from "@connectrpc/connect";
import * as node from "@connectrpc/connect-node";
import * as web from "@connectrpc/connect-web";
import { Contract, packageOf } from "../../src/contract/contract.ts";
import { SERVICES } from "../../src/options.ts";
import { System } from "./system.ts";

const system = new System();
after(() => system.stop());
await system.start();
const { url } = system;
const contract = Contract.read(join(system.contractDir, "parcours.binpb"));
const administrator = { authorization: `Bearer ${system.administrator()}` };
const JSON_BODY = { ...administrator, "content-type": "application/json" };

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into as a client would.
type Json = any;

async function call(
  path: string,
  init: RequestInit = { headers: administrator },
): Promise<{ status: number; headers: Headers; body: Json }> {
  const response = await fetch(`${url}${path}`, init);
  return { status: response.status, headers: response.headers, body: await response.json() };
}

function post(path: string, body: unknown, headers: Record<string, string> = JSON_BODY) {
  return call(path, { method: "POST", headers, body: JSON.stringify(body) });
}

function reasonOf(body: Json): string {
  return body.error?.details?.[0]?.reason ?? "";
}

/** Reads lines of a stream as they come, until `enough` says so. */
async function readLines(
  response: Response,
  enough: (lines: string[]) => boolean,
): Promise<string[]> {
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const decoder = new TextDecoder();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    text += decoder.decode(value, { stream: true });
    const lines = text.split("\n").filter((line) => line !== "");
    if (done || enough(lines)) {
      await reader.cancel();
      return lines;
    }
  }
}

/** What a service logged of a trace, once it is there. */
async function logged(service: string, traceId: string): Promise<Record<string, unknown>> {
  for (;;) {
    const found = system.log(service).find((line) => line.trace_id === traceId);
    if (found !== undefined) return found;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function newTrace(): { traceparent: string; traceId: string } {
  const traceId = randomBytes(16).toString("hex");
  return { traceId, traceparent: `00-${traceId}-${"1".repeat(16)}-01` };
}

/** An empty page, and a comment that fills it up to about that size. */
function pdf(size: number): Buffer {
  const objects = [
    "<</Type/Catalog/Pages 2 0 R>>",
    "<</Type/Pages/Kids[3 0 R]/Count 1>>",
    "<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 100]>>",
  ];
  let text = `%PDF-1.4\n${"%".padEnd(size, "x")}\n`;
  const offsets = objects.map((object, i) => {
    const at = text.length;
    text += `${i + 1} 0 obj${object}endobj\n`;
    return `${String(at).padStart(10, "0")} 00000 n \n`;
  });
  const table = `xref\n0 4\n0000000000 65535 f \n${offsets.join("")}`;
  return Buffer.from(
    `${text}${table}trailer<</Size 4/Root 1 0 R>>\nstartxref\n${text.length}\n%%EOF\n`,
  );
}

let etag = "";

test("everything is up", async () => {
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  assert.equal((await fetch(`${url}/openapi.json`)).status, 200);
  const page = await fetch(`${url}/docs`);
  assert.match(page.headers.get("content-security-policy") ?? "", /default-src 'none'/);
});

describe("JSON", () => {
  const requestId = randomUUID();
  const body = { displayName: "Centre Opale", timeZone: "Europe/Paris" };

  test("creates once, reads and lists", async () => {
    for (const _ of [1, 2]) {
      const made = await post(`/v1/bodies?bodyId=opale&requestId=${requestId}`, body);
      assert.equal(made.status, 200, JSON.stringify(made.body));
      assert.equal(made.body.name, "bodies/opale");
    }
    const read = await call("/v1/bodies/opale");
    assert.equal(read.body.displayName, "Centre Opale");
    assert.equal(read.headers.get("etag"), read.body.etag);
    etag = read.body.etag;
    const listed = await call("/enrolment/v1/bodies?pageSize=10");
    assert.deepEqual(
      listed.body.bodies.map((one: Json) => one.name),
      ["bodies/opale"],
    );
    assert.ok(listed.body.feedToken);
  });

  test("changes what has not changed since, and nothing else", async () => {
    const patch = (match: string) =>
      call("/v1/bodies/opale?updateMask=displayName", {
        method: "PATCH",
        headers: { ...JSON_BODY, "if-match": match },
        body: JSON.stringify({ displayName: "Opale" }),
      });
    const changed = await patch(etag);
    assert.equal(changed.status, 200, JSON.stringify(changed.body));
    const stale = await patch(etag);
    assert.equal(stale.status, 409);
    assert.equal(reasonOf(stale.body), "ETAG_MISMATCH");
  });

  test("names every bad field at once, here and there", async () => {
    const unknown = await post("/v1/bodies?bodyId=a&colour=red", { displayNaame: "x" });
    assert.equal(unknown.status, 400);
    const fields = (answer: { body: Json }) =>
      answer.body.error.details
        .flatMap((detail: Json) => detail.fieldViolations ?? [])
        .map((violation: Json) => violation.field);
    assert.deepEqual(fields(unknown), ["colour", "body.displayNaame"]);
    const invalid = await post("/v1/bodies?bodyId=a", { email: "x", siret: "1" });
    assert.equal(invalid.status, 400);
    assert.ok(fields(invalid).includes("body.email"), fields(invalid).join());
    assert.ok(fields(invalid).includes("body.time_zone"), fields(invalid).join());
  });

  test("says who may not", async () => {
    const nobody = await call("/v1/bodies/opale", {});
    assert.equal(nobody.status, 401);
    assert.equal(nobody.headers.get("www-authenticate"), "Bearer");
    assert.equal(reasonOf(nobody.body), "UNAUTHENTICATED");
    const learner = system.mint(
      "learner",
      "--body=bodies/opale",
      "--person=bodies/opale/persons/nobody",
    );
    const refused = await call("/v1/bodies", { headers: { authorization: `Bearer ${learner}` } });
    assert.equal(refused.status, 403);
    assert.equal(reasonOf(refused.body), "PERMISSION_DENIED");
  });

  test("reaches what all services offer under the name of each", async () => {
    for (const service of SERVICES) {
      const head = await call(`/${service}/v1/auditHead`);
      assert.equal(head.status, 200);
      assert.equal(head.body.service, service);
    }
    const unsaid = await call("/v1/auditHead");
    assert.equal(unsaid.status, 404);
    assert.equal(reasonOf(unsaid.body), "SERVICE_NOT_NAMED");
  });

  test("lists changes by kind", async () => {
    const changes = await call("/enrolment/v1/changes?filter.kinds=body&filter.kinds=cohort");
    assert.equal(changes.status, 200, JSON.stringify(changes.body));
    assert.ok(changes.body.changes.every((change: Json) => change.resource === "bodies/opale"));
    assert.equal(changes.body.changes.length, 2);
    const none = await call("/enrolment/v1/changes?filter.kinds=cohort");
    assert.equal(none.body.changes, undefined);
  });

  test("passes a deadline on", async () => {
    const { traceparent, traceId } = newTrace();
    const late = await call("/v1/bodies/opale", {
      headers: { ...administrator, traceparent, "request-timeout": "0.000001" },
    });
    if (late.status !== 200) assert.equal(reasonOf(late.body), "DEADLINE_EXCEEDED");
    const { traceparent: other, traceId: otherId } = newTrace();
    await call("/v1/bodies/opale", { headers: { ...administrator, traceparent: other } });
    assert.equal((await logged("enrolment", otherId)).code, "OK");
    assert.notEqual(traceId, otherId);
  });
});

describe("uploads", () => {
  const bytes = pdf(150_000);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  let name = "";

  test("are announced", async () => {
    const made = await post("/enrolment/v1/bodies/opale/uploads", {
      byteSize: String(bytes.length),
      contentType: "application/pdf",
      sha256,
    });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    name = made.body.name;
  });

  const lines = (from: number) => {
    const parts: string[] = [];
    for (let at = from; at < bytes.length; at += 60_000) {
      const data = bytes.subarray(at, at + 60_000).toString("base64");
      parts.push(JSON.stringify({ writeOffset: String(at), data }));
    }
    return parts.join("\n");
  };

  test("come in lines, from where they are", async () => {
    const send = (body: string) =>
      call(`/enrolment/v1/${name}:write`, {
        method: "POST",
        headers: { ...administrator, "content-type": "application/x-ndjson" },
        body,
      });
    const wrong = await send(lines(60_000));
    assert.equal(wrong.status, 400);
    assert.equal(reasonOf(wrong.body), "UPLOAD_OFFSET_MISMATCH");
    const written = await send(lines(0));
    assert.equal(written.status, 200, JSON.stringify(written.body));
    assert.equal(written.body.state, "STATE_COMPLETE");
    assert.equal(written.body.sha256, sha256);
  });
});

const transports: [string, (service: string) => Transport][] = [
  ["Connect", (service) => web.createConnectTransport({ baseUrl: `${url}/${service}` })],
  ["gRPC-Web", (service) => web.createGrpcWebTransport({ baseUrl: `${url}/${service}` })],
  ["gRPC", (service) => node.createGrpcTransport({ baseUrl: `${url}/${service}` })],
];

for (const [protocol, transport] of transports) {
  describe(protocol, () => {
    const programmes = contract.registry.getService("parcours.enrolment.v1.ProgrammeService");
    const feeds = contract.registry.getService("parcours.platform.v1.ChangeFeedService");
    assert.ok(programmes && feeds);
    type GetBody = { getBody(request: object, options: object): Promise<Json> };
    const client = createClient(programmes, transport("enrolment")) as Client<
      typeof programmes
    > as unknown as GetBody;
    const options = { headers: administrator };

    test("answers", async () => {
      assert.equal((await client.getBody({ name: "bodies/opale" }, options)).displayName, "Opale");
    });

    test("carries details", async () => {
      const error = await client.getBody({ name: "nonsense" }, options).catch(ConnectError.from);
      assert.ok(error instanceof ConnectError);
      assert.equal(error.code, Code.InvalidArgument);
      const [bad] = error.findDetails(contract.message("google.rpc.BadRequest")) as Json[];
      assert.equal(bad.fieldViolations[0].field, "name");
      const [french] = error.findDetails(contract.message("google.rpc.LocalizedMessage")) as Json[];
      assert.equal(french.locale, "fr");
    });

    test("watches changes as they come, and the service notices the end", async () => {
      const watcher = createClient(feeds, transport("enrolment")) as unknown as {
        watchChanges(request: object, options: object): AsyncIterable<Json>;
      };
      const { traceparent, traceId } = newTrace();
      const end = new AbortController();
      const stream = watcher.watchChanges(
        { filter: { kinds: ["body"] } },
        { headers: { ...administrator, traceparent }, signal: end.signal },
      );
      let seen = 0;
      await assert.rejects(async () => {
        for await (const { changes } of stream) {
          seen += changes.length;
          if (seen >= 2) end.abort();
        }
      });
      assert.equal((await logged("enrolment", traceId)).code, "CANCELLED");
    });
  });
}

describe("changes as they come", () => {
  test("are events that go on where they broke off", async () => {
    const watch = (lastEvent?: string) =>
      fetch(`${url}/enrolment/v1/changes:watch`, {
        headers: {
          ...administrator,
          accept: "text/event-stream",
          ...(lastEvent === undefined ? {} : { "last-event-id": lastEvent }),
        },
      });
    const isWhole = (lines: string[]) => lines.some((line) => line.startsWith("data: "));
    const first = await readLines(await watch(), isWhole);
    const token = first.find((line) => line.startsWith("id: "))?.slice(4);
    assert.ok(token);
    const data = JSON.parse(first.find((line) => line.startsWith("data: "))?.slice(6) ?? "");
    assert.equal(data.nextToken, token);
    assert.equal(data.changes[0].resource, "bodies/opale");

    const goesOn = await watch(token);
    const before = Number(data.changes.at(-1).position);
    const made = await post("/v1/bodies?bodyId=exemple", {
      displayName: "Exemple",
      timeZone: "Europe/Paris",
    });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    const next = await readLines(goesOn, (lines) => lines.some((line) => /"changes"/.test(line)));
    const later = JSON.parse(next.find((line) => /"changes"/.test(line))?.slice(6) ?? "");
    assert.ok(later.changes.every((change: Json) => Number(change.position) > before));
    assert.equal(later.changes.at(-1).resource, "bodies/exemple");
  });

  test("end in the service when the client goes, and at a deadline", async () => {
    const { traceparent, traceId } = newTrace();
    const response = await fetch(`${url}/enrolment/v1/changes:watch`, {
      headers: { ...administrator, traceparent },
    });
    await readLines(response, (lines) => lines.length > 0);
    assert.equal((await logged("enrolment", traceId)).code, "CANCELLED");

    const late = await fetch(`${url}/enrolment/v1/changes:watch`, {
      headers: { ...administrator, "request-timeout": "1.2" },
    });
    const lines = (await late.text()).trim().split("\n");
    assert.equal(reasonOf(JSON.parse(lines.at(-1) as string)), "DEADLINE_EXCEEDED");
  });
});

describe("what is held on a person", () => {
  let person: Json;

  /** The pieces of an export, as they are told by JSON. */
  async function pieces(service: string): Promise<Json[]> {
    const response = await fetch(`${url}/${service}/v1/${person.name}:export`, {
      headers: administrator,
    });
    assert.equal(response.status, 200);
    assert.equal(response.headers.get("content-type"), "application/x-ndjson");
    return (await readLines(response, () => false)).map((line) => JSON.parse(line));
  }

  test("is exported by each service, as lines that have an end", async () => {
    // The rules on what is kept are not as old as a simulation that has just begun.
    for (const service of SERVICES) {
      const moved = await post(`/${service}/v1/time:advance`, {
        businessTime: "2026-01-05T09:00:00Z",
      });
      assert.equal(moved.status, 200, JSON.stringify(moved.body));
    }
    const made = await post("/v1/bodies/opale/persons", {
      givenName: "Personne",
      familyName: "Fictive",
      email: "personne.fictive@exemple.test",
    });
    assert.equal(made.status, 200, JSON.stringify(made.body));
    person = made.body;
    const [first, ...rest] = await pieces("enrolment");
    assert.equal(first.record.kind, "person");
    assert.equal(first.record.resource, person.name);
    assert.equal(first.record.content.email, "personne.fictive@exemple.test");
    assert.ok(rest.every((piece) => piece.error === undefined));
    for (const service of ["scheduling", "evaluation"]) {
      assert.deepEqual(
        (await pieces(service)).filter((piece) => piece.record?.kind !== "access"),
        [],
      );
    }
  });

  for (const [protocol, transport] of transports) {
    test(`is exported by ${protocol}`, async () => {
      const service = contract.registry.getService("parcours.platform.v1.PrivacyService");
      assert.ok(service);
      const client = createClient(service, transport("enrolment")) as unknown as {
        exportPerson(request: object, options: object): AsyncIterable<Json>;
      };
      const kinds: string[] = [];
      for await (const { piece } of client.exportPerson(
        { name: person.name },
        { headers: administrator },
      )) {
        if (piece.case === "record") kinds.push(piece.value.kind);
      }
      assert.equal(kinds[0], "person");
    });
  }

  test("is nobody else's to export", async () => {
    const learner = system.mint(
      "learner",
      "--body=bodies/opale",
      "--person=bodies/opale/persons/nobody",
    );
    const refused = await call(`/enrolment/v1/${person.name}:export`, {
      headers: { authorization: `Bearer ${learner}` },
    });
    assert.equal(refused.status, 403);
    assert.equal(reasonOf(refused.body), "PERMISSION_DENIED");
  });

  test("and why it is kept, and what is no longer needed", async () => {
    for (const service of SERVICES) {
      const holds = await call(`/${service}/v1/${person.name}/legalHolds`);
      assert.equal(holds.status, 200, JSON.stringify(holds.body));
      assert.deepEqual(holds.body, {});
      const plan = await call(`/${service}/v1/bodies/opale/retentionPlan`);
      assert.equal(plan.status, 200, JSON.stringify(plan.body));
      assert.ok(plan.body.classes.length > 0);
      assert.equal(plan.headers.get("etag"), plan.body.etag);
      const stale = await post(`/${service}/v1/bodies/opale/retentionPlan:apply`, {
        etag: '"another"',
      });
      assert.equal(stale.status, 409);
      assert.equal(reasonOf(stale.body), "ETAG_MISMATCH");
    }
  });

  test("is erased, and said to be", async () => {
    const begun = await post(`/v1/${person.name}:erase`, { ground: "GROUND_REQUESTED" });
    assert.equal(begun.status, 200, JSON.stringify(begun.body));
    const erasure = person.name.replace("/persons/", "/erasures/");
    assert.equal(begun.body.name, erasure);
    let looked = begun.body;
    while (looked.state !== "STATE_COMPLETE") looked = (await call(`/v1/${erasure}`)).body;
    assert.deepEqual(
      looked.acknowledgements.map((one: Json) => one.service).sort(),
      [...SERVICES].sort(),
    );
    const gone = await call(`/v1/${person.name}`);
    assert.ok(gone.body.eraseTime);
    assert.equal(gone.body.email, undefined);
  });
});

test("every method is reached by every way there is", async () => {
  const missing = new Map<string, Set<string>>();
  let reached = 0;
  for (const service of contract.services) {
    const own = packageOf(service);
    const backends = own === "platform" ? SERVICES : SERVICES.filter((name) => name === own);
    for (const method of service.methods) {
      const id = `${service.name}.${method.name}`;
      for (const backend of backends) {
        const prefixes = own === "platform" ? [`/${backend}`] : ["", `/${backend}`];
        for (const prefix of prefixes) {
          const byConnect = await fetch(`${url}${prefix}/${service.typeName}/${method.name}`, {
            method: "POST",
            headers:
              method.methodKind === "unary"
                ? JSON_BODY
                : { ...administrator, "content-type": "application/connect+json" },
            body: method.methodKind === "unary" ? "{}" : new Uint8Array([0, 0, 0, 0, 2, 123, 125]),
            signal: AbortSignal.timeout(10_000),
          });
          await byConnect.body?.cancel();
          assert.notEqual(byConnect.status, 404, `${prefix} ${id}`);
          assert.notEqual(byConnect.status, 405, `${prefix} ${id}`);
          if (byConnect.status === 501) {
            missing.set(id, (missing.get(id) ?? new Set()).add(backend));
          }
          reached += 1;
        }
      }
    }
  }
  assert.ok(reached > 300, String(reached));
  // What a service has no use for is not missing.
  for (const [id, backends] of missing) {
    const allowed = id.startsWith("UploadService.") ? ["scheduling"] : [];
    assert.deepEqual([...backends], allowed, id);
  }
});

test("a hundred calls at once are answered", async () => {
  const answers = await Promise.all(
    Array.from({ length: 100 }, (_, i) =>
      call(i % 2 === 0 ? "/v1/bodies/opale" : `/${SERVICES[i % 3]}/v1/time`),
    ),
  );
  for (const { status, body } of answers) assert.equal(status, 200, JSON.stringify(body));
});

test("what was called is counted, on a port of its own", async () => {
  const text = await (await fetch(system.metricsUrl)).text();
  assert.match(
    text,
    /parcours_gateway_duration_seconds_count\{method="parcours\.enrolment\.v1\.ProgrammeService\/GetBody",backend="enrolment",protocol="grpc",code="OK"\} 1/,
  );
  assert.equal((await fetch(`${url}/metrics`)).status, 404);
});

test("a service that is gone is 503, and the others answer", async () => {
  system.kill("evaluation");
  const gone = await call("/evaluation/v1/time");
  assert.equal(gone.status, 503);
  assert.equal(reasonOf(gone.body), "OWNER_UNAVAILABLE");
  assert.equal((await call("/scheduling/v1/time")).status, 200);
  while ((await fetch(`${url}/readyz`)).status !== 503);
});

test("SIGTERM ends streams with a reason, and the process well", async () => {
  const stream = await fetch(`${url}/enrolment/v1/changes:watch`, { headers: administrator });
  const rest = stream.text();
  assert.equal(await system.stopGateway(), 0);
  const lines = (await rest).trim().split("\n");
  assert.equal(reasonOf(JSON.parse(lines.at(-1) as string)), "DRAINING");
});
