"""Starts the emulator of the OpenAI organization API, and controls it from tests.

With pytest, use the fixture `openai_admin`. Elsewhere:

    with Emulator.start() as emulator:
        organization = emulator.organization()
"""

from .controls import ControlError
from .emulator import Emulator, EmulatorError
from .organization import Clock, Faults, Journal, Organization, Snapshot

__all__ = [
    "Clock",
    "ControlError",
    "Emulator",
    "EmulatorError",
    "Faults",
    "Journal",
    "Organization",
    "Snapshot",
]
