"""The wires between the processes of a run: every connection of a link passes
here, where it may be cut after so many bytes, or be slow. A process of its own,
so that it does not wait for the clients' interpreter.

Commands come as lines of JSON on standard input, answers go to standard output;
it ends with its input. `Proxies` is the other side.

    {"do": "listen", "link": L, "path": P?, "to": ADDRESS}   answers {"port": N}
    {"do": "direct", "link": L, "to": ADDRESS}               where it goes from now on
    {"do": "cut", "links": [L…], "bytes": [LOW, HIGH]}       each connection after so many
    {"do": "slow", "links": [L…], "seconds": S, "bytes": N}  each piece of N bytes waits
    {"do": "clear", "links": [L…]}                           good again
    {"do": "count"}                                          answers figures by link

An address is ["tcp", port] on this machine or ["unix", path].
"""

import asyncio
import json
import os
import pathlib
import random
import socket
import struct
import subprocess
import sys
import threading

PIECE = 16384


class Link:
    """One wire, with its figures since the start."""

    def __init__(self, to):
        self.to = to
        self.server = None
        self.cut_after = None
        self.delay = 0.0
        self.piece = PIECE
        self.figures = {"connections": 0, "bytes": 0, "cut": 0, "delayed": 0}
        self.open = set()


class Connection:
    """Two streams joined; `left` is how many bytes may still pass."""

    def __init__(self, link):
        self.link = link
        self.left = None
        self.writers = []

    def reset(self):
        """As when a cable is pulled and plugged in again: both ends hear of it."""
        for writer in self.writers:
            taken = writer.get_extra_info("socket")
            if taken is not None:
                try:
                    taken.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                     struct.pack("ii", 1, 0))
                except OSError:
                    pass
            writer.transport.abort()


class Wires:
    """All links."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.links = {}

    async def pump(self, reader, writer, connection):
        link = connection.link
        try:
            while data := await reader.read(link.piece):
                if link.delay:
                    link.figures["delayed"] += 1
                    await asyncio.sleep(link.delay)
                if link.cut_after is not None and connection.left is None:
                    connection.left = self.random.randint(*link.cut_after)
                if connection.left is not None and len(data) >= connection.left:
                    writer.write(data[:connection.left])
                    await writer.drain()
                    link.figures["bytes"] += connection.left
                    link.figures["cut"] += 1
                    connection.left = 0
                    connection.reset()
                    return
                if connection.left is not None:
                    connection.left -= len(data)
                link.figures["bytes"] += len(data)
                writer.write(data)
                await writer.drain()
            if writer.can_write_eof():
                writer.write_eof()
        except OSError:
            connection.reset()

    async def serve(self, link, reader, writer):
        connection = Connection(link)
        connection.writers.append(writer)
        try:
            kind, where = link.to
            if kind == "unix":
                there = await asyncio.open_unix_connection(where)
            else:
                there = await asyncio.open_connection("127.0.0.1", where)
        except (OSError, TypeError):
            connection.reset()
            return
        link.figures["connections"] += 1
        connection.writers.append(there[1])
        link.open.add(connection)
        try:
            await asyncio.gather(self.pump(reader, there[1], connection),
                                 self.pump(there[0], writer, connection))
        finally:
            link.open.discard(connection)
            for one in connection.writers:
                one.close()

    async def obey(self, command):
        links = [self.links[name] for name in command.get("links", [])]
        if command["do"] == "listen":
            link = self.links[command["link"]] = Link(command["to"])

            async def accepted(reader, writer):
                await self.serve(link, reader, writer)

            if command.get("path"):
                link.server = await asyncio.start_unix_server(accepted, command["path"])
                # PostgreSQL's clients may be another user.
                pathlib.Path(command["path"]).chmod(0o777)
                return {}
            link.server = await asyncio.start_server(accepted, "127.0.0.1", 0)
            return {"port": link.server.sockets[0].getsockname()[1]}
        if command["do"] == "direct":
            self.links[command["link"]].to = command["to"]
        for link in links:
            if command["do"] == "cut":
                link.cut_after = command["bytes"]
            elif command["do"] == "slow":
                link.delay, link.piece = command["seconds"], command["bytes"]
            elif command["do"] == "clear":
                link.cut_after, link.delay, link.piece = None, 0.0, PIECE
                for connection in link.open:
                    connection.left = None
        if command["do"] == "count":
            return {name: link.figures for name, link in self.links.items()}
        return {}


async def run(seed):
    wires = Wires(seed)
    commands = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(commands), sys.stdin)
    while line := await commands.readline():
        print(json.dumps(await wires.obey(json.loads(line))), flush=True)
    # Connections that are open are nobody's any more.
    os._exit(0)


class Proxies:
    """The process, from the side of the campaign; from several threads."""

    def __init__(self, seed):
        self._lock = threading.Lock()
        # pylint: disable-next=consider-using-with
        self._process = subprocess.Popen([sys.executable, "-B", __file__, str(seed)], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def tell(self, do, **command):
        with self._lock:
            self._process.stdin.write(json.dumps({"do": do, **command}) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def stop(self):
        self._process.stdin.close()
        self._process.wait(timeout=30)
        self._process.stdout.close()


if __name__ == "__main__":
    asyncio.run(run(int(sys.argv[1])))
