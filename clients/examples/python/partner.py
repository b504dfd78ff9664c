#!/usr/bin/python3
"""A partner's program, in Python over gRPC: see README.md."""

import argparse
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "generated"))

try:
    import apply
    import follow
    import webhook
    from connection import Connection, Refused
except ModuleNotFoundError as missing:
    sys.exit(f"partner: there is no {missing.name}; run ./generate.sh first, and see README.md")


def main():
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--address", default=os.environ.get("PARCOURS_ADDRESS", "127.0.0.1:50151"),
                        help="where enrolment answers gRPC [PARCOURS_ADDRESS]")
    common.add_argument("--ca-file", default=os.environ.get("PARCOURS_CA_FILE"),
                        help="authorities that vouch for it, PEM; without, the call is not"
                             " encrypted and must not leave the machine [PARCOURS_CA_FILE]")
    common.add_argument("--key", default=os.environ.get("PARCOURS_KEY", "partner.json"),
                        help='file of {"client": …, "secret": …} [PARCOURS_KEY]')
    common.add_argument("--cohort", default=os.environ.get(
        "PARCOURS_COHORT", "bodies/opale/cohorts/culture-ess-2026"), help="[PARCOURS_COHORT]")

    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for command, run in (("apply", apply), ("follow", follow), ("webhook", webhook)):
        subparser = commands.add_parser(command, parents=[common], help=run.__doc__.split("\n")[0],
                                        description=run.__doc__)
        run.add_arguments(subparser)
        subparser.set_defaults(run=run.run)
    arguments = parser.parse_args()

    # Whoever reads this through a pipe sees each line as it comes.
    sys.stdout.reconfigure(line_buffering=True)
    try:
        with Connection(arguments.address, arguments.key, arguments.ca_file) as connection:
            return arguments.run(connection, arguments)
    except Refused as refused:
        print(refused.describe(), file=sys.stderr)
        return 1
    except OSError as error:
        print(f"partner: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
