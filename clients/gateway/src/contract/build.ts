/**
 * Compiles the contract for the gateway: parcours.binpb, all descriptors with their
 * comments, and openapi.json.
 *
 * usage: build.ts [FOLDER]   build/contract at the root of the repository by default
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { Contract } from "./contract.ts";
import { describe } from "./openapi.ts";

const root = fileURLToPath(new URL("../../../..", import.meta.url));
const folder = resolve(process.argv[2] ?? join(root, "build/contract"));
const machine = process.arch === "arm64" ? "aarch64" : process.arch;
const buf = join(root, `node_modules/@bufbuild/buf-linux-${machine}/bin/buf`);

mkdirSync(folder, { recursive: true });
const descriptors = join(folder, "parcours.binpb");
execFileSync(buf, ["build", "--as-file-descriptor-set", "-o", descriptors], {
  cwd: root,
  stdio: "inherit",
});
const contract = Contract.read(descriptors);
writeFileSync(join(folder, "openapi.json"), `${JSON.stringify(describe(contract), null, 1)}\n`);
