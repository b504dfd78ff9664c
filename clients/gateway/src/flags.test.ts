import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { Authority } from "../test/support/certificates.ts";
import { FlagReader, readFlags } from "./flags.ts";
import { GATEWAY_FLAGS, readOptions } from "./options.ts";

const folder = mkdtempSync(join(tmpdir(), "parcours-flags-"));
for (const name of ["parcours.binpb", "openapi.json"]) writeFileSync(join(folder, name), "");
const authority = new Authority();
after(() => {
  rmSync(folder, { recursive: true });
  authority.remove();
});

function read(argv: string[], env: Record<string, string> = {}) {
  const flags = readFlags("d", GATEWAY_FLAGS, [`--contract_dir=${folder}`, ...argv], env);
  return flags.kind === "flags" ? readOptions(flags.values) : flags;
}

function problems(argv: string[], env: Record<string, string> = {}): string[] {
  const options = read(argv, env);
  return "problems" in options ? options.problems : [];
}

test("flags stand before the environment, and that before defaults", () => {
  const options = read(["--listen_address=127.0.0.1:1", "--nodocs"], {
    PARCOURS_LISTEN_ADDRESS: "127.0.0.1:2",
    PARCOURS_LOG_LEVEL: "debug",
  });
  assert.ok("listen" in options);
  assert.deepEqual(options.listen, { host: "127.0.0.1", port: 1 });
  assert.equal(options.logLevel, "debug");
  assert.equal(options.docs, false);
  assert.equal(options.drainGraceMs, 20_000);
  assert.deepEqual(options.backends.get("scheduling"), [{ host: "127.0.0.1", port: 50052 }]);
});

test("a value may stand apart, and a service may have several addresses or none", () => {
  const options = read(["--enrolment_address", "[::1]:1,localhost:2", "--evaluation_address="]);
  assert.ok("listen" in options);
  assert.deepEqual(options.backends.get("enrolment"), [
    { host: "::1", port: 1 },
    { host: "localhost", port: 2 },
  ]);
  assert.equal(options.backends.has("evaluation"), false);
});

test("help names every flag", () => {
  const flags = readFlags("The gateway.", GATEWAY_FLAGS, ["--help"], {});
  assert.ok(flags.kind === "help");
  for (const { name } of GATEWAY_FLAGS) assert.match(flags.text, new RegExp(`--${name} `));
});

describe("what is wrong is listed at once:", () => {
  test("unknown flags and arguments", () => {
    assert.deepEqual(problems(["--lisen=1", "x", "--colour", "--log_level"]), [
      "unknown flag --lisen",
      "unexpected argument x",
      "unknown flag --colour",
      "--log_level has no value",
    ]);
  });

  test("values", () => {
    const found = problems([
      "--listen_address=0.0.0.0:8080",
      "--enrolment_address=enrolment.example:1,nonsense",
      "--trusted_proxies=loopback,192.0.2.1,proxy.example",
      "--allow_origin=https://a.example,https://b.example/x",
      "--max_body_bytes=lots",
      "--default_timeout=soon",
      "--log_level=loud",
      "--docs=perhaps",
    ]);
    for (const word of [
      "0.0.0.0:8080 is not on loopback",
      "nonsense is not host:port",
      "enrolment.example:1 is not on loopback",
      "proxy.example is no address",
      "https://b.example/x is no origin",
      "--max_body_bytes",
      "--default_timeout",
      "--log_level",
      "perhaps is no boolean",
    ]) {
      assert.ok(
        found.some((problem) => problem.includes(word)),
        `${word} in ${found.join("; ")}`,
      );
    }
    assert.equal(found.length, 9, found.join("\n"));
  });

  test("nowhere to listen, nobody to call", () => {
    const found = problems([
      "--listen_address=none",
      "--enrolment_address=",
      "--scheduling_address=",
      "--evaluation_address=",
      "--contract_dir=/nowhere",
    ]);
    assert.equal(found.length, 4, found.join("\n"));
  });

  test("files of TLS", () => {
    const service = authority.issue("service", "URI:spiffe://parcours/service/enrolment");
    const own = authority.issue("own", "DNS:gateway.parcours.internal");
    const other = authority.issue("other", "DNS:gateway.parcours.internal");
    const tls = (certificate: string, key: string) => [
      "--tls_listen_address=0.0.0.0:8443",
      `--tls_certificate_file=${certificate}`,
      `--tls_key_file=${key}`,
    ];
    assert.deepEqual(problems(tls(own, own)), []);
    assert.match(problems(tls(own, other)).join(), /not a certificate and its key/);
    assert.match(problems(tls(own, "")).join(), /--tls_key_file is not given/);
    assert.match(problems(tls("/nowhere", own)).join(), /\/nowhere cannot be read/);
    const backend = (file: string) => [
      "--enrolment_address=enrolment.example:1",
      `--backend_certificate_file=${file}`,
      `--backend_key_file=${file}`,
    ];
    assert.deepEqual(problems([...backend(own), `--backend_ca_file=${authority.ca}`]), []);
    assert.match(problems(backend(own)).join(), /--backend_ca_file is not given/);
    assert.match(
      problems([...backend(service), `--backend_ca_file=${authority.ca}`]).join(),
      /is a service's/,
    );
    chmodSync(own, 0o644);
    assert.match(problems(tls(own, own)).join(), /everybody may read/);
  });
});

test("durations have a unit", () => {
  for (const [text, ms] of [
    ["500ms", 500],
    ["20s", 20_000],
    ["1.5m", 90_000],
    ["1h", 3_600_000],
  ] as const) {
    const reader = new FlagReader(new Map([["x", text]]));
    assert.equal(reader.duration("x", 0), ms);
    assert.deepEqual(reader.problems, []);
  }
  const reader = new FlagReader(new Map([["x", "20"]]));
  reader.duration("x", 0);
  assert.equal(reader.problems.length, 1);
});
