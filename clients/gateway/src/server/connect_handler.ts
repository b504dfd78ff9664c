import type { DescMethod, Message } from "@bufbuild/protobuf";
import {
  type ConnectRouterOptions,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import {
  compressionGzip,
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import type { Backend } from "../backend/backend.ts";
import type { Caller, CallRecord, Protocol } from "../call.ts";
import type { Contract } from "../contract/contract.ts";
import type { HttpRequest, HttpResponse } from "./exchange.ts";

const RECORD = createContextKey<CallRecord | undefined>(undefined);

/** Answers /package.Service/Method by Connect, gRPC-Web and gRPC, for one backend. */
export class ConnectHandlers {
  readonly #handlers = new Map<string, UniversalHandler>();
  readonly #caller: Caller;

  constructor(
    contract: Contract,
    caller: Caller,
    backend: Backend,
    methods: readonly DescMethod[],
    maxBodyBytes: number,
  ) {
    this.#caller = caller;
    const options: ConnectRouterOptions = {
      acceptCompression: [compressionGzip],
      readMaxBytes: maxBodyBytes,
      jsonOptions: { ignoreUnknownFields: false, registry: contract.registry },
    };
    const router = createConnectRouter(options);
    for (const method of methods) {
      // One function serves every kind: the router sees what it expects of each.
      router.rpc(method, this.#implement(backend, method) as never);
    }
    for (const handler of router.handlers) this.#handlers.set(handler.requestPath, handler);
  }

  /** Whether there is a method at this path. */
  method(path: string): DescMethod | undefined {
    return this.#handlers.get(path)?.method;
  }

  async handle(
    path: string,
    record: CallRecord,
    request: HttpRequest,
    response: HttpResponse,
  ): Promise<void> {
    const handler = this.#handlers.get(path) as UniversalHandler;
    const values = createContextValues().set(RECORD, record);
    const universal = universalRequestFromNodeRequest(
      request,
      response as never,
      undefined,
      values,
    );
    // The library waits for an "end" that responses of Node do not have.
    const closed = new Promise((resolve) => response.once("close", resolve));
    const answer = await handler(universal);
    await Promise.race([universalResponseToNodeResponse(answer, response as never), closed]);
  }

  #implement(backend: Backend, method: DescMethod) {
    const call = async (requests: AsyncIterable<Message>, context: HandlerContext) => {
      const record = context.values.get(RECORD) as CallRecord;
      const answer = await this.#caller.call(
        record,
        backend,
        method,
        requests,
        context.signal,
        context.timeoutMs(),
      );
      copy(answer.headers, context.responseHeader);
      return answer;
    };
    const callForOne = async (requests: AsyncIterable<Message>, context: HandlerContext) => {
      const answer = await call(requests, context);
      let last: Message | undefined;
      for await (const message of answer.body) last = message;
      copy(answer.trailers, context.responseTrailer);
      return last;
    };
    async function* callForMany(requests: AsyncIterable<Message>, context: HandlerContext) {
      const answer = await call(requests, context);
      yield* answer.body;
      copy(answer.trailers, context.responseTrailer);
    }
    switch (method.methodKind) {
      case "unary":
        return (request: Message, context: HandlerContext) => callForOne(one(request), context);
      case "client_streaming":
        return callForOne;
      case "server_streaming":
        return (request: Message, context: HandlerContext) => callForMany(one(request), context);
      case "bidi_streaming":
        return callForMany;
    }
  }
}

/** Which of the three protocols a request speaks. */
export function protocolOf(request: HttpRequest): Protocol {
  const type = String(request.headers["content-type"] ?? "");
  if (type.startsWith("application/grpc-web")) return "grpc-web";
  return type.startsWith("application/grpc") ? "grpc" : "connect";
}

function copy(from: Headers, to: Headers): void {
  from.forEach((value, name) => {
    to.set(name, value);
  });
}

async function* one<T>(message: T): AsyncIterable<T> {
  yield message;
}
