import type { Transport } from "@connectrpc/connect";

/**
 * Whoever answers calls behind the gateway: a service at its addresses, or one that
 * lives in this process.
 */
export type Backend = {
  /** "enrolment": the package parcours.<name>.v1 is its own. */
  readonly name: string;
  /** Whether it also offers parcours.platform.v1, as every service does. */
  readonly platform: boolean;
  readonly transport: Transport;
  /** Whether it would answer calls now. */
  ready(signal: AbortSignal): Promise<boolean>;
  close(): void;
};

/** A backend in this process, whose services are of the package parcours.<name>.v1. */
export function localBackend(
  name: string,
  transport: Transport,
  ready: () => boolean = () => true,
): Backend {
  return { name, platform: false, transport, ready: async () => ready(), close: () => {} };
}
