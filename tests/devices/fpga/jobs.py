"""What tests have done in processes of their own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pytest_edgebudget.passes import fixed_point as module
from pytest_edgebudget.passes.base import Job
from pytest_edgebudget.types import Step


def fixed_point(payload: dict[str, Any]) -> None:
    """Apply the pass."""
    options = tuple((key, value) for key, value in payload["options"])
    step = Step("fixed_point", tuple(payload["args"]), options)
    module.apply(Job(model=Path(payload["model"]), out=Path(payload["out"]), step=step))


def by_hls4ml(payload: dict[str, Any]) -> list[Any]:
    """What hls4ml's own compiled library answers, converted by the note inside the file."""
    import json
    import zipfile

    import hls4ml
    import keras
    import numpy as np

    note = json.loads(zipfile.ZipFile(payload["model"]).read("hls4ml.json"))
    model = keras.saving.load_model(payload["model"], compile=False)
    converted = hls4ml.converters.convert_from_keras_model(model, output_dir=payload["out"], **note)
    converted.compile()
    with np.load(payload["data"]) as data:
        samples = np.ascontiguousarray(data["x_test"], dtype=np.float64)
    found: list[Any] = converted.predict(samples).tolist()
    return found


BENCH = """
module bench;
    reg clk = 0;
    reg [{inputs}:0] samples [0:{last}];
    reg [{inputs}:0] x;
    wire [{outputs}:0] y;
    integer i;
    model_wrapper dut (.clk(clk), .model_inp(x), .model_out(y));
    initial begin
        $readmemb("samples.bin", samples);
        for (i = 0; i <= {last} + {stages}; i = i + 1) begin
            x = samples[i > {last} ? {last} : i];
            #5 clk = 1;
            #5 clk = 0;
            if (i >= {stages}) $display("answer %b", y);
        end
        $finish;
    end
endmodule
"""


def by_verilog(payload: dict[str, Any]) -> list[list[float]]:
    """Answers of the Verilog that is placed, by Icarus Verilog; *samples* one a tick."""
    import json
    import subprocess

    from da4ml.codegen import VerilogModel

    from pytest_edgebudget.devices.fpga import firmware, logic

    out = Path(payload["out"])
    traced = logic.trace(firmware.convert(Path(payload["model"]), out / "project"))
    rtl = VerilogModel(traced, logic.TOP, out / "rtl", latency_cutoff=logic.STAGE)
    rtl.write()
    source = out / "rtl" / "src"
    for table in (source / "memfiles").glob("*.mem"):
        table.rename(source / table.name)
    look_up = source / "static" / "lookup_table.v"  # whose style of ROM is Vivado's business
    kept = [line for line in look_up.read_text().splitlines() if "rom_style" not in line]
    look_up.write_text("\n".join(kept))
    samples = payload["samples"]
    inputs, points = _port(traced.inp_kifs)
    outputs, places = _port(traced.out_kifs)
    rows = [[round(value * 2**points) for value in sample] for sample in samples]
    lines = ["".join(f"{step % 2**inputs:0{inputs}b}" for step in row[::-1]) for row in rows]
    (source / "samples.bin").write_text("\n".join(lines))
    bench = BENCH.format(
        inputs=inputs * len(rows[0]) - 1,
        outputs=outputs * len(traced.out_qint) - 1,
        last=len(rows) - 1,
        stages=json.loads((out / "rtl" / "metadata.json").read_text())["latency"],
    )
    (source / "bench.v").write_text(bench)
    files = [str(path) for path in source.rglob("*.v")]
    command = ["iverilog", "-g2012", "-s", "bench", "-o", "bench", *files]
    subprocess.run(command, cwd=source, check=True)
    done = subprocess.run(["vvp", "bench"], cwd=source, check=True, capture_output=True, text=True)
    answers = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("answer")]
    return [_numbers(answer, outputs, places) for answer in answers]


def _port(kifs: Any) -> tuple[int, int]:
    """Bits of a number at a port of the wrapper, and those behind the point."""
    signs, integers, fractions = kifs
    return int(max(integers) + max(signs) + max(fractions)), int(max(fractions))


def _numbers(bits: str, width: int, places: int) -> list[float]:
    """The numbers at a port, none below zero: the first in the lowest bits."""
    words = [bits[at : at + width] for at in range(0, len(bits), width)]
    return [int(word, 2) / 2**places for word in words[::-1]]
