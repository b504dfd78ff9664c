// Answers GetProgramme with the bytes of a file, and nothing else.

import { readFileSync, writeFileSync } from "node:fs";
import { Server, ServerCredentials } from "@grpc/grpc-js";

const flags = Object.fromEntries(
  process.argv.slice(2).map((argument) => argument.slice(2).split(/=(.*)/s)),
);

function unary(path, answer) {
  const bytes = (value) => value;
  return {
    definition: {
      path,
      requestStream: false,
      responseStream: false,
      requestSerialize: bytes,
      requestDeserialize: bytes,
      responseSerialize: bytes,
      responseDeserialize: bytes,
    },
    implementation: (_call, callback) => callback(null, answer),
  };
}

const server = new Server();
const methods = {
  GetProgramme: unary(
    "/parcours.enrolment.v1.ProgrammeService/GetProgramme",
    readFileSync(flags.message),
  ),
  // grpc.health.v1: SERVING.
  Check: unary("/grpc.health.v1.Health/Check", Buffer.from([8, 1])),
};
for (const [name, { definition, implementation }] of Object.entries(methods)) {
  server.addService({ [name]: definition }, { [name]: implementation });
}
server.bindAsync(
  "127.0.0.1:0",
  ServerCredentials.createInsecure(),
  (error, port) => {
    if (error) throw error;
    writeFileSync(flags.port_file, `${port}\n`);
  },
);
