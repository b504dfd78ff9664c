import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Routes } from "./routes.ts";

const routes = new Routes<string>();
for (const [verb, path] of [
  ["GET", "/v1/time"],
  ["POST", "/v1/time:advance"],
  ["GET", "/v1/{name=bodies/*}"],
  ["PATCH", "/v1/{body.name=bodies/*}"],
  ["GET", "/v1/bodies/default"],
  ["GET", "/v1/{parent=bodies/*}/cohorts"],
  ["GET", "/v1/{name=bodies/*/cohorts/*}"],
  ["GET", "/v1/{name=bodies/*/cohorts/*/calendar}"],
  ["POST", "/v1/{name=bodies/*/cohorts/*}:open"],
  ["GET", "/v1/files/{path=**}"],
] as const) {
  assert.equal(routes.add(verb, path, `${verb} ${path}`), undefined);
}

describe("a path leads to", () => {
  for (const [verb, path, target, variables] of [
    ["GET", "/v1/time", "GET /v1/time", {}],
    ["POST", "/v1/time:advance", "POST /v1/time:advance", {}],
    ["GET", "/v1/bodies/opale", "GET /v1/{name=bodies/*}", { name: "bodies/opale" }],
    [
      "PATCH",
      "/v1/bodies/opale",
      "PATCH /v1/{body.name=bodies/*}",
      { "body.name": "bodies/opale" },
    ],
    ["GET", "/v1/bodies/default", "GET /v1/bodies/default", {}],
    // A word that has no such verb does not hide the wildcard.
    [
      "PATCH",
      "/v1/bodies/default",
      "PATCH /v1/{body.name=bodies/*}",
      { "body.name": "bodies/default" },
    ],
    ["GET", "/v1/bodies/a/cohorts", "GET /v1/{parent=bodies/*}/cohorts", { parent: "bodies/a" }],
    [
      "GET",
      "/v1/bodies/a/cohorts/b",
      "GET /v1/{name=bodies/*/cohorts/*}",
      { name: "bodies/a/cohorts/b" },
    ],
    [
      "GET",
      "/v1/bodies/a/cohorts/b/calendar",
      "GET /v1/{name=bodies/*/cohorts/*/calendar}",
      { name: "bodies/a/cohorts/b/calendar" },
    ],
    [
      "POST",
      "/v1/bodies/a/cohorts/b:open",
      "POST /v1/{name=bodies/*/cohorts/*}:open",
      { name: "bodies/a/cohorts/b" },
    ],
    ["GET", "/v1/bodies/%C3%A9t%C3%A9", "GET /v1/{name=bodies/*}", { name: "bodies/été" }],
    ["GET", "/v1/bodies/a%2Fb", "GET /v1/{name=bodies/*}", { name: "bodies/a%2Fb" }],
    ["GET", "/v1/files/a/b/c", "GET /v1/files/{path=**}", { path: "a/b/c" }],
  ] as const) {
    test(`${verb} ${path}`, () => {
      const match = routes.find(verb, path);
      assert.ok(match.kind === "found", match.kind);
      assert.equal(match.target, target);
      assert.deepEqual(Object.fromEntries(match.variables), variables);
    });
  }
});

test("another method is told which ones there are", () => {
  assert.deepEqual(routes.find("DELETE", "/v1/bodies/opale"), {
    kind: "wrong method",
    allowed: ["GET", "PATCH"],
  });
  assert.deepEqual(routes.find("GET", "/v1/bodies/a/cohorts/b:open"), {
    kind: "wrong method",
    allowed: ["POST"],
  });
});

describe("nothing is at", () => {
  for (const path of [
    "/",
    "/v1",
    "/v1/",
    "/v1/bodies",
    "/v1/bodies/",
    "/v1/bodies/a/",
    "/v1/bodies/a:shut",
    "/v1/bodies//cohorts",
    "/v1/time/x",
    "/V1/time",
    "/v1/../v1/time",
  ]) {
    test(path, () => assert.equal(routes.find("GET", path).kind, "nothing"));
  }
});

test("an escape that is not UTF-8 is malformed", () => {
  assert.equal(routes.find("GET", "/v1/bodies/%ff").kind, "malformed");
});

test("the same path twice is said", () => {
  assert.equal(routes.add("GET", "/v1/{other=bodies/*}", "x"), "GET /v1/{name=bodies/*}");
});
