import { createServer } from "node:http";
import { join } from "node:path";
import type { Backend } from "./backend/backend.ts";
import { RemoteBackend } from "./backend/remote.ts";
import { Contract, onlyReads } from "./contract/contract.ts";
import { Directory } from "./directory.ts";
import { Errors } from "./errors.ts";
import { formatAddress, readFlags } from "./flags.ts";
import { Log } from "./log.ts";
import { GATEWAY_FLAGS, type Options, readOptions } from "./options.ts";
import { Faults, withFaults } from "./sandbox/faults.ts";
import { Sandbox } from "./sandbox/sandbox.ts";
import { Docs } from "./server/docs.ts";
import { Gateway } from "./server/gateway.ts";
import { type Listener, listenPlain, listenTls, watchFiles, writePort } from "./server/listen.ts";
import { Metrics } from "./server/metrics.ts";
import { startWebhooks } from "./webhooks/compose.ts";

const DESCRIPTION =
  "The gateway of Parcours: JSON, Connect, gRPC-Web and gRPC over HTTP, for browsers\n" +
  "and partners, before the three services.\n";

async function run(options: Options): Promise<void> {
  const log = new Log(options.logLevel);
  const contract = Contract.read(join(options.contractDir, "parcours.binpb"));
  const errors = new Errors(contract, log);
  const metrics = new Metrics();
  const remotes = connectServices(options, contract, errors);
  const faults = new Faults();
  const webhooks = startWebhooks({
    options: options.webhooks,
    contract,
    errors,
    log,
    enrolment: remotes.find((remote) => remote.name === "enrolment")?.transport,
    tlsReloadMs: options.tlsReloadMs,
    ...(options.sandbox ? { faults: faults.webhooks } : {}),
  });
  const services: Backend[] = options.sandbox
    ? remotes.map((remote) => withFaults(remote, faults, errors))
    : remotes;
  const backends: Backend[] = [...services, webhooks.backend];
  const gateway = new Gateway({
    contract,
    directory: new Directory(contract, backends),
    errors,
    log,
    metrics,
    docs: options.docs ? new Docs(join(options.contractDir, "openapi.json")) : undefined,
    sandbox: options.sandbox ? new Sandbox(contract, errors, remotes, faults) : undefined,
    trustedProxies: options.trustedProxies,
    allowOrigins: options.allowOrigins,
    maxBodyBytes: options.maxBodyBytes,
    defaultTimeoutMs: options.defaultTimeoutMs,
  });

  const listeners: Listener[] = [];
  const handle = gateway.handle.bind(gateway);
  if (options.metrics !== undefined) {
    listeners.push(await listenPlainForMetrics(options, metrics));
  }
  if (options.tlsListen !== undefined) {
    const tls = await listenTls(options.tlsListen, options.tls, options.tlsReloadMs, handle);
    writePort(options.tlsPortFile, tls.port);
    log.info("listening over TLS", {
      address: formatAddress({ ...options.tlsListen, port: tls.port }),
    });
    listeners.push(tls);
  }
  if (options.listen !== undefined) {
    const plain = await listenPlain(options.listen, handle);
    writePort(options.portFile, plain.port);
    log.info("listening", { address: formatAddress({ ...options.listen, port: plain.port }) });
    listeners.push(plain);
  }

  const stop = async () => {
    log.info("draining");
    gateway.stop();
    for (const listener of listeners) listener.drain();
    const grace = setTimeout(() => {
      log.warning("calls did not end in time");
      for (const listener of listeners) listener.destroy();
    }, options.drainGraceMs);
    await Promise.all(listeners.map((listener) => listener.closed));
    clearTimeout(grace);
    await webhooks.stop();
    for (const backend of backends) backend.close();
    log.info("stopped");
    process.exit(0);
  };
  process.once("SIGTERM", stop);
  process.once("SIGINT", stop);
}

function connectServices(options: Options, contract: Contract, errors: Errors): RemoteBackend[] {
  const { certificate, key, ca } = options.backendTls;
  const tls = certificate === "" ? undefined : options.backendTls;
  const remotes = [...options.backends].map(
    ([name, addresses]) =>
      new RemoteBackend({
        name,
        addresses,
        tls,
        maxMessageBytes: options.maxBodyBytes,
        isRead: (method) => onlyReads(contract, method),
        isAnswer: (error) => errors.reasonOf(error) !== "",
      }),
  );
  if (tls !== undefined) {
    watchFiles([...new Set([certificate, key, ca])], options.tlsReloadMs, () => {
      for (const remote of remotes) remote.reload();
    });
  }
  return remotes;
}

async function listenPlainForMetrics(options: Options, metrics: Metrics): Promise<Listener> {
  const server = createServer(async (request, response) => {
    if (request.url !== "/metrics") {
      response.writeHead(404).end();
      return;
    }
    response.setHeader("content-type", metrics.registry.contentType);
    response.end(await metrics.registry.metrics());
  });
  const { host, port } = options.metrics as NonNullable<Options["metrics"]>;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, host, resolve);
  });
  const taken = (server.address() as { port: number }).port;
  writePort(options.metricsPortFile, taken);
  return {
    port: taken,
    closed: new Promise((resolve) => server.once("close", () => resolve())),
    drain: () => void server.close(() => {}),
    destroy: () => server.closeAllConnections(),
  };
}

const flags = readFlags(DESCRIPTION, GATEWAY_FLAGS, process.argv.slice(2), process.env);
if (flags.kind === "help") {
  process.stdout.write(flags.text);
} else {
  const options = flags.kind === "flags" ? readOptions(flags.values) : flags;
  if ("problems" in options) {
    process.stderr.write(`${options.problems.join("\n")}\n`);
    process.exitCode = 2;
  } else {
    await run(options).catch((error: unknown) => {
      process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
      process.exit(1);
    });
  }
}
