"""How Terraform is started, by all who start it: always as a child process, whichever engine it is."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

SHIM: Final = Path(__file__).resolve().parent / "shim.py"
PASSED_ON: Final = ("PATH", "HOME", "LANG", "SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY")
REAL_PROVIDER_PREFIXES: Final = ("ARM_", "TF_CLI_CONFIG_FILE", "TF_PLUGIN_CACHE_DIR")


def engine(name: str) -> list[str]:
    """The command of an engine: embedded, terraform, tofu or a path."""
    return [sys.executable, "-I", str(SHIM)] if name == "embedded" else [name]


def environment(extra: Mapping[str, str], *, real_provider: bool = False) -> dict[str, str]:
    """Built, not inherited. TF_CLI_CONFIG_FILE always: else a stray one of the machine's user counts."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    fixed = {
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_CONFIG_FILE": os.devnull,
    }
    cloud = {k: v for k, v in os.environ.items() if real_provider and k.startswith(REAL_PROVIDER_PREFIXES)}
    return {**kept, **fixed, **cloud, **extra}
