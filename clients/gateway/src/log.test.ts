import assert from "node:assert/strict";
import { test } from "node:test";
import { Log, parseLogLevel } from "./log.ts";

test("a line is one JSON object with the service's name", () => {
  const lines: string[] = [];
  new Log("info", (line) => lines.push(line)).info("call", { code: "OK", ms: 1.5 });
  assert.equal(lines.length, 1);
  const { ts, ...rest } = JSON.parse(lines[0] as string);
  assert.match(ts, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(rest, { level: "info", service: "gateway", msg: "call", code: "OK", ms: 1.5 });
  assert.ok(lines[0]?.endsWith("}\n"));
});

test("what is below the lowest level is not written", () => {
  const lines: string[] = [];
  const log = new Log("warning", (line) => lines.push(line));
  log.debug("a");
  log.info("b");
  log.warning("c");
  log.error("d");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line).msg),
    ["c", "d"],
  );
  assert.equal(parseLogLevel("verbose"), undefined);
});
