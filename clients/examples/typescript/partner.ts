/** A partner's program, in TypeScript with Connect: see README.md. */
import { parseArgs } from "node:util";
import { ConnectError } from "@connectrpc/connect";
import * as apply from "./apply.ts";
import { Connection, describe } from "./connection.ts";
import * as follow from "./follow.ts";
import * as webhook from "./webhook.ts";

const commands: Record<string, typeof apply | typeof follow | typeof webhook> = {
  apply,
  follow,
  webhook,
};

const USAGE = `usage: node partner.ts COMMAND [--OPTION=VALUE …]

  apply    ${apply.SUMMARY}
  follow   ${follow.SUMMARY}
  webhook  ${webhook.SUMMARY}

Of every command:
  --gateway   where the gateway answers [PARCOURS_GATEWAY, http://127.0.0.1:8090]
  --key       file of {"client": …, "secret": …} [PARCOURS_KEY, partner.json]
  --cohort    [PARCOURS_COHORT, bodies/opale/cohorts/culture-ess-2026]
`;

async function main(): Promise<number> {
  const [name = "", ...rest] = process.argv.slice(2);
  const command = commands[name];
  if (command === undefined) {
    console.error(
      USAGE +
        Object.entries(commands)
          .map(([of, { HELP }]) => `Of ${of}:\n${HELP}`)
          .join("\n"),
    );
    return 2;
  }
  const { env } = process;
  const { values } = parseArgs({
    args: rest,
    options: {
      gateway: { type: "string", default: env.PARCOURS_GATEWAY ?? "http://127.0.0.1:8090" },
      key: { type: "string", default: env.PARCOURS_KEY ?? "partner.json" },
      cohort: {
        type: "string",
        default: env.PARCOURS_COHORT ?? "bodies/opale/cohorts/culture-ess-2026",
      },
      ...command.OPTIONS,
    },
  });
  const options = values as Record<string, string>;
  const connection = Connection.open(options.gateway as string, options.key as string);
  await command.run(connection, options);
  return 0;
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(
    error instanceof ConnectError ? describe(error) : `partner: ${(error as Error).message}`,
  );
  process.exitCode = error instanceof ConnectError ? 1 : 2;
}
