// Answers GetProgramme with the message of a file, and nothing else.

import { readFileSync, writeFileSync } from "node:fs";
import { loadPackageDefinition, Server, ServerCredentials } from "@grpc/grpc-js";
import { loadSync } from "@grpc/proto-loader";

const flags = Object.fromEntries(
  process.argv.slice(2).map((argument) => argument.slice(2).split(/=(.*)/s)),
);
const { parcours } = loadPackageDefinition(
  loadSync("parcours/enrolment/v1/programme_service.proto", {
    includeDirs: ["proto", "node_modules/google-proto-files"],
    keepCase: true,
  }),
);
const { service } = parcours.enrolment.v1.ProgrammeService;
const programme = service.GetProgramme.responseDeserialize(readFileSync(flags.message));

const bytes = (value) => value;
const health = {
  Check: {
    path: "/grpc.health.v1.Health/Check",
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  },
};

const server = new Server();
server.addService(service, { GetProgramme: (_call, answer) => answer(null, programme) });
server.addService(health, { Check: (_call, answer) => answer(null, Buffer.from([8, 1])) });
server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  writeFileSync(flags.port_file, `${port}\n`);
});
