"""A whole system under fire: the three services, Redis and, where they are
replicated, PostgreSQL, in a folder of their own and with every wire between them
through a proxy. What is done to it is in faults.py.
"""

import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import time

import grpc

from proxy import Proxies

ROOT = pathlib.Path(__file__).resolve().parents[3]
SERVICES = ("enrolment", "scheduling", "evaluation")
START_OF_TIME = "2026-01-05T08:00:00+01:00"
# Debian's package faketime; nothing where it is missing.
FAKETIME = next(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
# Longest time that anything may take to start, with sanitizers on a busy machine.
PATIENCE = 120.0
# Credentials are older than the farthest that a clock is put back.
ISSUED_AGO = "-3h"

_LIBC = ctypes.CDLL(None, use_errno=True)
CHANNEL_OPTIONS = [("grpc.initial_reconnect_backoff_ms", 50),
                   ("grpc.min_reconnect_backoff_ms", 50),
                   ("grpc.max_reconnect_backoff_ms", 200),
                   ("grpc.enable_retries", 0),
                   # Each its own connection, as clients on several machines have.
                   ("grpc.use_local_subchannel_pool", 1)]


class DidNotStart(Exception):
    """Something of the system, and why."""


def own_mounts():
    """Gives this process mounts of its own, which end with it. False: not
    permitted, and neither is a small disk."""
    clone_newns = 0x00020000
    if _LIBC.unshare(clone_newns) != 0:
        return False
    done = subprocess.run(["mount", "--make-rprivate", "/"], check=False,
                          stderr=subprocess.DEVNULL)
    return done.returncode == 0


def _as_postgres(*command):
    if os.geteuid() != 0:
        return list(command)
    return ["runuser", "-u", "postgres", "--", *command]


def _postgresql(program):
    folders = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        raise DidNotStart("PostgreSQL is not installed")
    return str(folders[-1] / program)


def _run(*command, **options):
    done = subprocess.run(command, text=True, check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, **options)
    if done.returncode != 0:
        raise DidNotStart(f"{' '.join(map(str, command))}: {done.stdout[-2000:]}")
    return done.stdout


def children_of(process):
    """Its children, by /proc."""
    children = []
    for entry in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # "pid (name) state parent …", where the name may hold anything.
            parent = entry.read_text().rsplit(")", 1)[1].split()[1]
            if int(parent) == process:
                children.append(int(entry.parent.name))
    return children


def until(condition, what, patience=PATIENCE):
    limit = time.monotonic() + patience
    while not condition():
        if time.monotonic() > limit:
            raise DidNotStart(f"waited in vain for {what}")
        time.sleep(0.01)


def environment(build):
    """Of every program of the build."""
    return os.environ | {"PARCOURS_BINARIES": str(build)}


def _sweep_faketime():
    """Removes what libfaketime has left of processes that were killed: it ends a
    later one that has the same number."""
    for left in pathlib.Path("/dev/shm").glob("*faketime_s[eh]m_*"):
        if not pathlib.Path("/proc", left.name.rpartition("_")[2]).exists():
            left.unlink(missing_ok=True)


def faked(offset=None, file=None):
    """What lets a program see another clock: moved once, or as a file says."""
    _sweep_faketime()
    variables = {"LD_PRELOAD": str(FAKETIME), "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                 "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DISABLE_SHM": "1",
                 # The address sanitizer would be first otherwise, and both hang.
                 "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0"}
    if file is not None:
        return variables | {"FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_CACHE_DURATION": "1"}
    return variables | {"FAKETIME": offset}


class Ground:
    """What all runs of a campaign begin from: credentials, and a cluster of
    PostgreSQL with the three databases, both copied for each run."""

    def __init__(self, build, folder):
        self.build, self.folder = build, folder
        self.has_faketime = FAKETIME is not None
        self.authority = folder / "authority"
        self._make_authority()
        self._cluster = None

    def _make_authority(self):
        script = ('source deploy/local/system.sh; source deploy/local/authority.sh; '
                  'state=$1; database=sqlite; prepare_state; make_authority')
        variables = environment(self.build)
        if self.has_faketime:
            variables |= faked(offset=ISSUED_AGO)
        _run("bash", "-euo", "pipefail", "-c", script, "ground", self.folder, cwd=ROOT,
             env=variables)

    def cluster(self):
        """The folder of a stopped cluster."""
        if self._cluster is None:
            cluster = self.folder / "postgresql"
            cluster.mkdir()
            if os.geteuid() == 0:
                shutil.chown(cluster, "postgres")
            # Small segments of its log: a full disk is noticed soon.
            _run(*_as_postgres(_postgresql("initdb"), "--pgdata", str(cluster / "data"),
                               "--username=postgres", "--auth=trust", "--encoding=UTF8",
                               "--locale=C.UTF-8", "--wal-segsize=1", "--no-sync"), cwd="/")
            server = Postgresql(cluster)
            server.start()
            try:
                for service in SERVICES:
                    _run(_postgresql("psql"), "-h", cluster, "-U", "postgres", "-q", "-c",
                         f"CREATE DATABASE {service}")
                    _run(self.build / "clients/cli/parcours", "migrate", f"--service={service}",
                         f"--database_url=postgresql:///{service}?host={cluster}&user=postgres",
                         "--simulation", env=environment(self.build), cwd=ROOT)
            finally:
                server.stop()
            self._cluster = cluster
        return self._cluster


class Postgresql:
    """A server on a folder, below which its socket is."""

    def __init__(self, folder):
        self.folder = folder
        self.socket = folder / ".s.PGSQL.5432"

    def _control(self, *arguments):
        _run(*_as_postgres(_postgresql("pg_ctl"), "--pgdata", str(self.folder / "data"),
                           "--silent", *arguments), cwd="/")

    def start(self):
        """Recovers from a crash, if there was one."""
        self._control("--wait", "--timeout=60", "--log", str(self.folder / "log"),
                      f"--options=-k {self.folder} -c listen_addresses='' "
                      "-c max_connections=200 -c max_wal_size=8MB -c min_wal_size=2MB "
                      "-c shared_buffers=32MB -c restart_after_crash=on", "start")

    def stop(self):
        with contextlib.suppress(DidNotStart):
            self._control("--mode=immediate", "stop")

    def processes(self):
        """The server and all its children; empty when it does not run."""
        try:
            server = int((self.folder / "data/postmaster.pid").read_text().split()[0])
        except (OSError, IndexError, ValueError):
            return []
        if not pathlib.Path(f"/proc/{server}").exists():
            return []
        return [server, *children_of(server)]

    def kill(self):
        """All at once, so that nothing of it puts anything in order."""
        processes = self.processes()
        # The server first: it would start what it misses again.
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        until(lambda: not any(pathlib.Path(f"/proc/{one}").exists() for one in processes),
              "the end of PostgreSQL")
        return len(processes)


class Redis:
    """A server that keeps nothing on disk."""

    def __init__(self, folder):
        self.folder = folder
        self.socket = folder / "redis.sock"
        self.process = None

    def start(self):
        with contextlib.suppress(FileNotFoundError):
            self.socket.unlink()
        with open(self.folder / "redis.log", "ab") as log:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen(
                ["redis-server", "--port", "0", "--unixsocket", self.socket, "--save", "",
                 "--appendonly", "no", "--maxmemory", "64mb", "--maxmemory-policy",
                 "allkeys-lfu", "--dir", self.folder], stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, preexec_fn=_begin_process)
        until(self.socket.exists, "Redis")

    def kill(self):
        self.process.kill()
        self.process.wait()


class Replica:
    """One process of a service, started again and again: by the main thread, whose
    end would be that of the process."""

    def __init__(self, system, service, index):
        self.system, self.service, self.index = system, service, index
        self.name = f"{service}/{index}"
        self.process = None
        self.port = None
        self._channel = None

    def _file(self, name):
        return self.system.folder / "run" / f"{self.service}-{self.index}.{name}"

    def start(self, wait=True, **more):
        """`more` goes into its environment; with PARCOURS_TEST_CRASH_AT it is the
        program that ends itself at a named point."""
        folder, ground = self.system.folder, self.system.ground
        authority = ground.authority
        for name in ("port", "tls-port"):
            with contextlib.suppress(FileNotFoundError):
                self._file(name).unlink()
        program = ground.build / f"services/{self.service}/{self.service}d"
        if "PARCOURS_TEST_CRASH_AT" in more:
            program = ground.build / f"tests/faults/{self.service}d_crashing"
        flags = [
            "--listen_address=127.0.0.1:0", f"--port_file={self._file('port')}",
            "--tls_listen_address=127.0.0.1:0", f"--tls_port_file={self._file('tls-port')}",
            f"--identity_file={authority / 'identity.txtpb'}",
            f"--tls_certificate_file={authority / (self.service + '.pem')}",
            f"--tls_key_file={authority / (self.service + '.pem')}",
            f"--tls_ca_file={authority / 'ca.pem'}",
            f"--database_url={self.system.database_url(self)}",
            f"--redis_url=unix://{folder / 'wires' / f'redis-{self.service}-{self.index}'}",
            f"--secret_file={folder / 'secrets' / (self.service + '.key')}",
            f"--upload_dir={folder / 'data' / (self.service + '-uploads')}",
            f"--upload_key_file={folder / 'secrets' / (self.service + '-uploads.key')}",
            f"--rules_dir={ROOT / 'rules'}",
            f"--documents_inspector={ground.build / 'common/documents/documents_inspector'}",
            "--simulation", f"--simulation_start={START_OF_TIME}", "--drain_grace=2s"]
        if self.service == "enrolment":
            flags.append(f"--token_signing_key_file={authority / 'clients-key.jwk'}")
        for owner in SERVICES:
            if owner != self.service:
                port = self.system.ports[f"peer:{self.name}>{owner}"]
                flags.append(f"--{owner}_address=127.0.0.1:{port}")
        variables = environment(ground.build) | more
        if self.system.clock is not None:
            variables |= faked(file=self.system.clock)
        with open(folder / "log" / f"{self.service}-{self.index}.log", "ab") as log:
            # pylint: disable-next=consider-using-with
            self.process = subprocess.Popen([program, *flags], env=variables, stdout=log,
                                            stderr=log, stdin=subprocess.DEVNULL, cwd=ROOT,
                                            preexec_fn=_begin_process)
        if wait:
            self.await_ports()

    def await_ports(self):
        """Until it says where it listens; the wires lead there from then on."""
        until(lambda: self.process.poll() is not None or (
            self._file("port").exists() and self._file("tls-port").exists()), self.name)
        if self.process.poll() is not None:
            raise DidNotStart(f"{self.name} ended with {self.process.returncode}")
        tls = int(self._file("tls-port").read_text())
        self.port = int(self._file("port").read_text())
        self._new_channel()
        tell = self.system.proxies.tell
        tell("direct", link=f"client:{self.name}", to=["tcp", self.port])
        for link in self.system.ports:
            owner = link.rpartition(">")[2]
            index = link.partition("/")[2][:1]
            if link.startswith("peer:") and owner == self.service and index == str(self.index):
                tell("direct", link=link, to=["tcp", tls])

    def _new_channel(self):
        if self._channel is not None:
            self._channel.close()
        self._channel = grpc.insecure_channel(f"127.0.0.1:{self.port}", CHANNEL_OPTIONS)

    def is_healthy(self):
        """Whether it says that it serves, asked without the wires."""
        if self.process.poll() is not None:
            return False
        ask = self._channel.unary_unary("/grpc.health.v1.Health/Check")
        try:
            return ask(b"", timeout=1.0) == b"\x08\x01"
        except grpc.RpcError:
            return False

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self._channel is not None:
            self._channel.close()
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()


def _begin_process():
    # Ends with the campaign, however that ends.
    pr_set_pdeathsig = 1
    _LIBC.prctl(pr_set_pdeathsig, signal.SIGKILL)
    # Where a limit on sizes stands for a full disk, a write fails and kills
    # nobody.
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)


class System:
    """Started when made. `replicated`: two of each service on PostgreSQL, else
    one on SQLite. `small_disk`: the data lie on a disk of so many MB, where that
    is permitted. `jumping`: the services see the clock of a file."""

    def __init__(self, ground, folder, seed, replicated, small_disk=None, jumping=False):
        self.ground, self.folder, self.replicated = ground, folder, replicated
        self.has_small_disk = False
        for name in ("run", "log", "data", "secrets", "wires"):
            (folder / name).mkdir()
        (folder / "wires").chmod(0o755)
        if small_disk is not None:
            done = subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={small_disk}m", "fire",
                                   folder / "data"], check=False, stderr=subprocess.DEVNULL)
            self.has_small_disk = done.returncode == 0
        self.clock = None
        if jumping:
            self.clock = folder / "run/clock"
            self.set_clock(0)
        self.postgresql = None
        self.redis = Redis(folder / "run")
        self.proxies = Proxies(seed)
        self.ports = {}
        count = 2 if replicated else 1
        self.replicas = {service: [Replica(self, service, i) for i in range(count)]
                         for service in SERVICES}
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def all_replicas(self):
        return [one for of_service in self.replicas.values() for one in of_service]

    def database_url(self, replica):
        if self.replicated:
            wires = self.folder / "wires" / f"postgresql-{replica.service}-{replica.index}"
            return f"postgresql:///{replica.service}?host={wires}&user=postgres"
        return f"sqlite://{self.folder / 'data' / (replica.service + '.db')}"

    def set_clock(self, seconds):
        """Moves the real time that the services see away from the true one."""
        beside = self.clock.with_suffix(".new")
        beside.write_text(f"{seconds:+d}\n")
        beside.rename(self.clock)

    def _start(self):
        self.redis.start()
        if self.replicated:
            cluster = self.folder / "data/postgresql"
            _run("cp", "-a", self.ground.cluster(), cluster)
            self.folder.chmod(0o755)
            (self.folder / "data").chmod(0o755)
            self.postgresql = Postgresql(cluster)
            self.postgresql.start()
        self._lay_wires()
        for service in SERVICES:
            # The first makes the secrets that they share.
            for replica in self.replicas[service]:
                replica.start()
        for replica in self.all_replicas():
            until(replica.is_healthy, f"health of {replica.name}")

    def _lay_wires(self):
        wires = self.folder / "wires"
        for replica in self.all_replicas():
            flat = replica.name.replace("/", "-")
            self.proxies.tell("listen", link=f"redis:{replica.name}",
                              path=str(wires / f"redis-{flat}"),
                              to=["unix", str(self.redis.socket)])
            if self.replicated:
                (wires / f"postgresql-{flat}").mkdir()
                self.proxies.tell("listen", link=f"postgresql:{replica.name}",
                                  path=str(wires / f"postgresql-{flat}/.s.PGSQL.5432"),
                                  to=["unix", str(self.postgresql.socket)])
            for link in (f"client:{replica.name}",
                         *(f"peer:{replica.name}>{owner}" for owner in SERVICES
                           if owner != replica.service)):
                self.ports[link] = self.proxies.tell("listen", link=link, to=["tcp", None])["port"]

    def token(self):
        return (self.ground.authority / "token").read_text().strip()

    def addresses(self, index=0):
        """Where clients find each service, through the wires."""
        return {service: f"127.0.0.1:{self.ports[f'client:{service}/{index}']}"
                for service in SERVICES}

    def parcours(self, *arguments):
        """(exit code, what it said) of the operator's command."""
        addresses = [f"--{service}_address={address}"
                     for service, address in self.addresses().items()]
        done = subprocess.run(
            [self.ground.build / "clients/cli/parcours", *arguments, *addresses], cwd=ROOT,
            text=True, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=environment(self.ground.build) | {
                "PARCOURS_TOKEN_FILE": str(self.ground.authority / "token")})
        return done.returncode, done.stdout

    def stop(self):
        for replica in reversed(self.all_replicas()):
            replica.stop()
        if self.postgresql is not None:
            for process in self.postgresql.processes():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(process, signal.SIGCONT)
            # Gives its shared memory back, which a kill would not.
            self.postgresql.stop()
            self.postgresql.kill()
        if self.redis.process is not None:
            self.redis.process.send_signal(signal.SIGCONT)
            self.redis.kill()
        self.proxies.stop()
        if self.clock is not None:
            _sweep_faketime()

    def release_disk(self):
        if self.has_small_disk:
            subprocess.run(["umount", "-l", self.folder / "data"], check=False)
