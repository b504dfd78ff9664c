import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Contract } from "../../src/contract/contract.ts";

/** Root of the repository. */
export const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));

const OWN = join(ROOT, "clients/gateway/test/proto");

/** The contract as it stands in proto/ now. */
export function contract(): Contract {
  return compile(join(ROOT, "proto"));
}

/** The same with parcours.echo.v1 of test/proto. */
export function contractWithEcho(): Contract {
  return compile(join(ROOT, "proto"), OWN);
}

function compile(...folders: string[]): Contract {
  const protos = folders.flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" }).filter((name) =>
      name.endsWith(".proto"),
    ),
  );
  const include = [...folders, "/usr/include", join(ROOT, "node_modules/google-proto-files")];
  const folder = mkdtempSync(join(tmpdir(), "parcours-test-"));
  const out = join(folder, "set.binpb");
  try {
    execFileSync("protoc", [
      ...include.map((path) => `-I${path}`),
      "--include_imports",
      "--include_source_info",
      `--descriptor_set_out=${out}`,
      ...protos,
      "google/rpc/error_details.proto",
    ]);
    return new Contract(readFileSync(out));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
