"""The provider: Terraform's plugin protocol 6, answered from the pretend cloud.

The names of the methods are the protocol's. Every answer to plan and apply says `legacy_type_system`, as
azurerm's own do: without it Terraform refuses a default filled into an optional attribute.
"""

import os
import re
from typing import Any, Final

from tf.gen import grpc_controller_pb2 as controller_pb
from tf.gen import grpc_controller_pb2_grpc as controller_rpc
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc as rpc

from terraform.sandbox import messages, planning
from terraform.sandbox.cloud import Cloud, Failure
from terraform.sandbox.schema import Schema
from terraform.sandbox.store import find
from terraform.sandbox.values import UNKNOWN, Values, conform, decode, encode

NOBODY: Final = "00000000-0000-0000-0000-000000000000"
# placeholder: (argument of the provider block, environment variable)
IDENTITY: Final = {
    "sub": ("subscription_id", "ARM_SUBSCRIPTION_ID"),
    "tenant": ("tenant_id", "ARM_TENANT_ID"),
    "client": ("client_id", "ARM_CLIENT_ID"),
}


def identity(config: Values | None = None) -> dict[str, str]:
    """Who the run acts as: the provider block, else the environment, else nobody."""
    given = {name: (config or {}).get(argument) for name, (argument, _) in IDENTITY.items()}
    known = {
        name: str(given[name] or os.environ.get(variable) or NOBODY)
        for name, (_, variable) in IDENTITY.items()
    }
    return {**known, "object": "11111111-1111-1111-1111-111111111111"}


class Provider(rpc.ProviderServicer):
    def __init__(self, schema: Schema, cloud: Cloud):
        self.schema, self.cloud = schema, cloud

    # Schema and configuration

    def GetMetadata(self, request: Any, context: Any) -> Any:
        answer = pb.GetMetadata
        return answer.Response(
            server_capabilities=pb.ServerCapabilities(plan_destroy=True, get_provider_schema_optional=True),
            resources=[answer.ResourceMetadata(type_name=name) for name in self.schema.resources],
            data_sources=[answer.DataSourceMetadata(type_name=name) for name in self.schema.data_sources],
        )

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        resources, data_sources = self.schema.resources, self.schema.data_sources
        return pb.GetProviderSchema.Response(
            provider=messages.schema(self.schema.provider),
            provider_meta=pb.Schema(block=pb.Schema.Block()),
            resource_schemas={name: messages.schema(r.block) for name, r in resources.items()},
            data_source_schemas={name: messages.schema(r.block) for name, r in data_sources.items()},
            server_capabilities=pb.ServerCapabilities(plan_destroy=True),
        )

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateProviderConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        config = decode(request.config) or {}
        self.cloud.filler.identity = identity({k: v for k, v in config.items() if isinstance(v, str)})
        return pb.ConfigureProvider.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        config = decode(request.config) or {}
        diagnostics = []
        for name, pattern in self.schema.resources[request.type_name].match.items():
            value = config.get(name)
            if isinstance(value, str) and not re.fullmatch(pattern, value):
                detail = f"{value!r} is not a valid {name} of {request.type_name}."
                diagnostics += messages.error(f"Invalid {name}", detail)
        return pb.ValidateResourceConfig.Response(diagnostics=diagnostics)

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        return pb.ValidateDataResourceConfig.Response()

    def UpgradeResourceState(self, request: Any, context: Any) -> Any:
        stored = decode(pb.DynamicValue(json=request.raw_state.json)) or {}
        fitted = conform(self.schema.resources[request.type_name].block, stored)
        return pb.UpgradeResourceState.Response(upgraded_state=encode(fitted))

    def StopProvider(self, request: Any, context: Any) -> Any:
        self.cloud.stopping.set()  # operations that wait end with an error, as a cancelled call does
        return pb.StopProvider.Response()

    # Resources

    def ReadResource(self, request: Any, context: Any) -> Any:
        answer = pb.ReadResource.Response
        current = decode(request.current_state)
        try:
            stored = self.cloud.read(request.type_name, str(current.get("id") or ""), current.get("name"))
        except Failure as failure:
            diagnostics = messages.error(failure.summary, failure.detail)
            return answer(new_state=request.current_state, diagnostics=diagnostics)
        if stored is None:
            return answer(new_state=encode(None), private=request.private)
        values = conform(self.schema.resources[request.type_name].block, stored)
        values["timeouts"] = current.get("timeouts")
        return answer(new_state=encode(values), private=request.private)

    def PlanResourceChange(self, request: Any, context: Any) -> Any:
        answer = pb.PlanResourceChange.Response
        prior, proposed = decode(request.prior_state), decode(request.proposed_new_state)
        if proposed is None:
            return answer(planned_state=encode(None), planned_private=request.prior_private)
        replaced = planning.complete(self.schema.resources[request.type_name].block, proposed, prior)
        return answer(
            planned_state=encode(proposed),
            requires_replace=[messages.attribute_path(path) for path in replaced],
            planned_private=request.prior_private,
            legacy_type_system=True,
        )

    def ApplyResourceChange(self, request: Any, context: Any) -> Any:
        answer = pb.ApplyResourceChange.Response
        prior, planned = decode(request.prior_state), decode(request.planned_state)
        try:
            state = self._apply(request.type_name, prior, planned)
        except Failure as failure:
            kept = prior if failure.state is None else failure.state
            block = self.schema.resources[request.type_name].block
            return answer(
                new_state=encode(kept and conform(block, kept)),
                diagnostics=messages.error(failure.summary, failure.detail),
                legacy_type_system=True,
            )
        return answer(new_state=encode(state), private=request.planned_private, legacy_type_system=True)

    def _apply(self, type_name: str, prior: Values | None, planned: Values | None) -> Values | None:
        if prior is None:
            assert planned is not None  # the protocol plans no change from nothing to nothing
            return self.cloud.create(type_name, planned)
        if planned is None:
            self.cloud.delete(type_name, prior)
            return None
        return self.cloud.update(type_name, str(prior["id"]), planned)

    # Import and data sources

    def ImportResourceState(self, request: Any, context: Any) -> Any:
        answer = pb.ImportResourceState
        document = self.cloud.store.read()
        key = find(document, request.id)
        if key is None or document["resources"][key]["type"] != request.type_name:
            detail = f"{request.id} is not a {request.type_name}."
            return answer.Response(diagnostics=messages.error("The resource was not found.", detail))
        block = self.schema.resources[request.type_name].block
        state = encode(conform(block, document["resources"][key]["values"]))
        imported = answer.ImportedResource(type_name=request.type_name, state=state)
        return answer.Response(imported_resources=[imported])

    def ReadDataSource(self, request: Any, context: Any) -> Any:
        source = self.schema.data_sources[request.type_name]
        values = conform(source.block, decode(request.config) or {})
        missing = [
            name for name, value in values.items() if value is None and name in source.block.attributes
        ]
        if not source.lookup:
            values.update(dict.fromkeys(missing, UNKNOWN))
            self.cloud.filler.fill(source.block, values, f"data/{request.type_name}")
            return pb.ReadDataSource.Response(state=encode(values))
        wanted = self.cloud.filler.render(source.lookup, values)
        document = self.cloud.store.read()
        key = find(document, wanted)
        if key is None:
            diagnostics = messages.error("The resource was not found.", f"{wanted} does not exist.")
            return pb.ReadDataSource.Response(diagnostics=diagnostics)
        values.update({name: document["resources"][key]["values"].get(name) for name in missing})
        return pb.ReadDataSource.Response(state=encode(values))


class Controller(controller_rpc.GRPCControllerServicer):
    def Shutdown(self, request: Any, context: Any) -> Any:
        return controller_pb.Empty()
