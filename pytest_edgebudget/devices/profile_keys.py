"""What a profile may say: one table, read by the reader and printed in the documentation."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_edgebudget.devices.ways import ADDRESSES, WAYS

KERNELS = ("reference", "cmsis-nn", "esp-nn", "xnnpack")
"""Kernels that a runtime may use."""

RUNS = tuple(name for name in WAYS if name not in ADDRESSES)
"""What a profile may name as its default way to run."""


@dataclass(frozen=True, slots=True)
class Key:
    """
    One key of a profile.

    Attributes:
        name: as it is written.
        kind: "text", "count", "bytes", "clock", "seconds", "joules", "texts",
            "sources" or "address".
        help: what it says, in a sentence.
        example: as it is written in TOML.
        choices: the only words that are accepted; empty for any.
        required: whether a profile without it is refused.
    """

    name: str
    kind: str
    help: str
    example: str
    choices: tuple[str, ...] = ()
    required: bool = False


KEYS = (
    Key("title", "text", "The device in words.", '"Raspberry Pi 4 Model B, 4 GB"'),
    Key(
        "runtimes",
        "texts",
        "What runs models there: one runtime for each format of models.",
        '["litert", "onnxruntime"]',
        required=True,
    ),
    Key(
        "alternatives",
        "texts",
        "Other runtimes that `[device] runtime` of a budget file may choose.",
        '["tflite-runtime"]',
    ),
    Key("cpu", "text", "The name of the CPU's cores.", '"Cortex-A72"'),
    Key("cores", "count", "How many cores run a model.", "4"),
    Key("clock", "clock", "The clock of the cores, in MHz or GHz.", '"1.5 GHz"'),
    Key("ram", "bytes", "Main memory, where it is one piece.", '"4 GiB"'),
    Key("luts", "count", "Look-up tables of an FPGA.", "53_200"),
    Key("flip_flops", "count", "Flip-flops of an FPGA.", "106_400"),
    Key("dsps", "count", "Multipliers (DSP blocks) of an FPGA.", "220"),
    Key("block_ram", "bytes", "All memory blocks of an FPGA.", '"630 KiB"'),
    Key(
        "chip",
        "text",
        "An FPGA for which open tools place and route.",
        '"ecp5-85k"',
        ("ecp5-25k", "ecp5-45k", "ecp5-85k"),
    ),
    Key(
        "kernels",
        "text",
        "The kernels that the runtime uses, where they are not its own default.",
        '"cmsis-nn"',
        KERNELS,
    ),
    Key(
        "accelerator",
        "text",
        "What takes operators off the CPU; its table of constraints decides which.",
        '"ethos-u55-128"',
    ),
    Key(
        "vela_system",
        "text",
        "Clock and memories of an Ethos-U, as a section of Vela's configuration names them.",
        '"Ethos_U55_High_End_Embedded"',
    ),
    Key(
        "vela_memory",
        "text",
        "Which memory an Ethos-U takes for what, as a section of Vela's configuration names it.",
        '"Shared_Sram"',
    ),
    Key(
        "vela_config",
        "text",
        "Vela's configuration, a path from the profile's folder, where it is not the one of "
        "Vela (`Arm/vela.ini`).",
        '"vendor.ini"',
    ),
    Key("idle_power", "text", "Power while it waits for the next inference.", '"1.2 mW"'),
    Key("battery", "text", "What its battery gives, in Wh or in mAh at V.", '"1000 mAh at 3.7 V"'),
    Key(
        "default_run",
        "text",
        "How models run when a budget file does not say: on this machine as a stand-in "
        "(`host`), not at all (`static`: then only what the file itself tells is read), or in "
        "another way that `edgebudget devices` lists.",
        '"host"',
        RUNS,
    ),
    Key(
        "sources",
        "sources",
        "Where each fact comes from: a table of facts and sources, or a list of sources.",
        '{ clock = "datasheet DS12023" }',
    ),
)

MEMORY_KEYS = (
    Key("name", "text", "What the datasheet calls the region.", '"SRAM1"', required=True),
    Key("kind", "text", "What it is.", '"ram"', ("ram", "flash"), required=True),
    Key("size", "bytes", "How large it is.", '"192 KiB"', required=True),
    Key(
        "address",
        "address",
        "Where it begins: regions of a kind that touch count as one piece.",
        "0x20000000",
    ),
)
"""The keys of each `[[memory]]` table."""

PUBLISHED_KEYS = (
    Key("model", "text", "What ran.", '"MLPerf Tiny, keyword spotting"', required=True),
    Key("latency", "seconds", "Time of an inference.", '"43.2 ms"'),
    Key("energy", "joules", "Energy of an inference, idle included.", '"1.82 mJ"'),
    Key("source", "text", "Where that is to be read.", '"MLPerf Tiny v1.2"', required=True),
)
"""The keys of each `[[published]]` table."""
