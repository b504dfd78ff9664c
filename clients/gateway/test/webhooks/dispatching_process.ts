/**
 * Sends what is queued and what a feed gives, until it is killed.
 *
 * usage: dispatching_process.ts DATABASE KEY_FILE FEED_URL
 */
import { createRouterTransport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Errors } from "../../src/errors.ts";
import { realClock } from "../../src/webhooks/clock.ts";
import { WebhookDispatcher } from "../../src/webhooks/dispatcher.ts";
import { MasterKey } from "../../src/webhooks/secrets.ts";
import { Sender } from "../../src/webhooks/sender.ts";
import { Store } from "../../src/webhooks/store.ts";
import { contract, quiet } from "./support.ts";

const [database = "", keyFile = "", feed = ""] = process.argv.slice(2);
const silent = createRouterTransport(() => {});
const dispatcher = new WebhookDispatcher({
  store: new Store(database),
  key: MasterKey.fromFile(keyFile),
  sender: new Sender({
    clock: realClock,
    policy: { allowLoopback: true, resolve: async () => [] },
  }),
  clock: realClock,
  log: quiet,
  contract: contract(),
  errors: new Errors(contract(), quiet),
  feeds: {
    enrolment: createGrpcTransport({ baseUrl: feed }),
    scheduling: silent,
    evaluation: silent,
  },
});
dispatcher.start();
process.once("SIGTERM", () => {
  dispatcher.stop().then(() => process.exit(0));
});
