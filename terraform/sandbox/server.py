"""Serve the provider on a local socket until standard input ends."""

import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from concurrent import futures
from pathlib import Path
from typing import Final

import grpc
from tf.gen import grpc_controller_pb2_grpc as controller_rpc
from tf.gen import tfplugin_pb2_grpc as rpc

from terraform.sandbox.cloud import Cloud, load_faults
from terraform.sandbox.provider import Controller, Provider, identity
from terraform.sandbox.schema import load
from terraform.sandbox.store import Store
from terraform.sandbox.values import Filler

MESSAGE_LIMIT: Final = 64 << 20
OPTIONS: Final = [
    ("grpc.max_receive_message_length", MESSAGE_LIMIT),
    ("grpc.max_send_message_length", MESSAGE_LIMIT),
]


def serve(
    *,
    schema_path: Path,
    store_path: Path,
    socket: Path,
    faults: str = "",
    time_scale: float = 0.0,
    lax: bool = False,
    groups: Sequence[tuple[str, str]] = (),
) -> None:
    """Print the value of TF_REATTACH_PROVIDERS, then answer until whoever holds our standard input is gone.

    `groups` are (name, location) of resource groups that exist before the run, made by another team.
    """
    # Whoever signals the whole group means the others; Terraform needs us until its state is written.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    os.umask(0o077)  # the socket and the store are for this user only
    schema, store, filler = load(schema_path), Store(store_path), Filler(identity())
    for name, location in groups:
        store.ensure_group(
            filler.render("/subscriptions/{sub}/resourceGroups/{name}", {"name": name}), name, location
        )
    cloud = Cloud(schema.resources, store, filler, faults=load_faults(faults), time_scale=time_scale, lax=lax)
    server = grpc.server(futures.ThreadPoolExecutor(16), options=OPTIONS)
    rpc.add_ProviderServicer_to_server(Provider(schema, cloud), server)
    controller_rpc.add_GRPCControllerServicer_to_server(Controller(), server)
    server.add_insecure_port(f"unix://{socket.absolute()}")
    server.start()
    sys.stdout.write(f"{_reattach(schema.source, socket)}\n")
    sys.stdout.flush()
    sys.stdin.buffer.read()
    server.stop(grace=1).wait()
    _clean(socket)


def _clean(socket: Path) -> None:
    """Whoever made the folder of the socket may have been killed. It goes when it is empty."""
    socket.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        socket.parent.rmdir()


def _reattach(source: str, socket: Path) -> str:
    """`Test` keeps Terraform from ending a process that it did not start."""
    address = {"Network": "unix", "String": str(socket.absolute())}
    provider = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}
    return json.dumps({source: provider})
