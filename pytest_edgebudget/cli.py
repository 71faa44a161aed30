"""
The command line: parses, calls, prints.

Exit codes: 0 kept, 1 broken, 2 usage or budget file, 3 infrastructure.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_edgebudget import __version__
from pytest_edgebudget.cli_tracking import add_tracking
from pytest_edgebudget.ending import INTERRUPTED, interruptible
from pytest_edgebudget.errors import BudgetError, DeviceError, EdgeBudgetError

OBJECTIVES = ("size", "download_size", "arena", "ram", "latency", "accuracy")
"""Of `budget.grammar`, which a command that needs no budget does not import."""

KEPT, BROKEN, USAGE, INFRASTRUCTURE = 0, 1, 2, 3


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    options = _parser().parse_args(arguments)
    try:
        with interruptible():
            return _run(options)
    except DeviceError as error:
        _complain(str(error))
        return INFRASTRUCTURE
    except BudgetError as error:
        _complain(str(error), start="")
        return USAGE
    except EdgeBudgetError as error:
        _complain(str(error))
        return USAGE
    except BrokenPipeError:  # whoever read the output has seen enough
        _no_more_output()
        return KEPT
    except OSError as error:  # nobody else told what cannot be opened, read or written
        _no_more_output()
        what = error.filename or "the output cannot be written"
        _complain(f"{what}: {error.strerror or error}")
        return INFRASTRUCTURE
    except KeyboardInterrupt:
        builds = options.command in (_check, _fit)
        _complain(INTERRUPTED if builds else "interrupted", start="")
        return INFRASTRUCTURE


def _run(options: argparse.Namespace) -> int:
    if sys.stdout is None:  # Python's own sign that file descriptor 1 is closed
        _complain("the output cannot be written: standard output is closed")
        return INFRASTRUCTURE
    command: Callable[[argparse.Namespace], int] = options.command
    code = command(options)
    sys.stdout.flush()  # a full disk is met here, and not when Python ends
    return code


def _complain(text: str, *, start: str = "error: ") -> None:
    """Say on standard error what is wrong; where that is closed or full, the exit code says it."""
    from pytest_edgebudget.texts import printable

    with contextlib.suppress(OSError):
        print(printable(f"{start}{text}", keep="\n"), file=sys.stderr)


def _no_more_output() -> None:
    """What is left in the buffer goes nowhere: Python would fail over it once more at its end."""
    with contextlib.suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="edgebudget",
        description="Keep machine-learning models within what small devices can bear.",
        epilog="Exit codes: 0 kept, 1 broken, 2 usage or budget file, 3 infrastructure.",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_check(commands)
    _add_init(commands)
    _add_fit(commands)
    _add_lint(commands)
    _add_explain(commands)
    _add_devices(commands)
    _add_doctor(commands)
    _add_calibrate(commands)
    add_tracking(commands)
    _add_cache(commands)
    return parser


def _word(text: str) -> str:
    """What was written; an empty text is a variable of a shell that was not set."""
    if not text:
        raise argparse.ArgumentTypeError("it is empty: is a variable not set?")
    return text


def _path(text: str) -> Path:
    return Path(_word(text))


def _add_check(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    check = commands.add_parser("check", help="gate the models of budget files, without pytest")
    check.add_argument(
        "paths", nargs="+", type=_path, metavar="PATH", help="a budget file, or a folder of them"
    )
    check.add_argument(
        "--format",
        choices=["text", "json", "markdown", "sarif"],
        default="text",
        help="what is printed",
    )
    check.add_argument(
        "--report", action="append", default=[], metavar="FORMAT:PATH", help="write a report, too"
    )
    check.add_argument(
        "--artifacts", type=_path, metavar="DIR", help="copy the files that were gated there"
    )
    check.add_argument(
        "--run", action="append", default=[], metavar="NAME=URL",
        help="where the models of this budget file, or profile, run; repeatable",
    )  # fmt: skip
    check.add_argument(
        "--against", default="", metavar="git:REF", help="judge max_regression against this commit"
    )
    update = check.add_mutually_exclusive_group()
    update.add_argument("--update", action="store_true", help="write the locks")
    update.add_argument(
        "--update-new", action="store_true", help="add to the locks what they do not have yet"
    )
    check.add_argument("--strict", action="store_true", help="an undecided limit fails")
    check.add_argument("--no-optimize", action="store_true", help="gate each model as it is")
    check.set_defaults(command=_check)


def _add_init(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    init = commands.add_parser(
        "init", help="write a first budget file from what the models cost now"
    )
    init.add_argument(
        "models", nargs="+", metavar="MODEL", help="a file, a SavedModel, or module:function"
    )
    init.add_argument(
        "--data", type=_path, help="an .npz with x_test, y_test, x_calibration, for all of them"
    )
    init.add_argument("--profile", default="host", help="a device; edgebudget devices lists them")
    init.add_argument("-o", "--output", type=_path, help="default: budgets/PROFILE.toml")
    init.set_defaults(command=_init)


def _add_fit(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    fit = commands.add_parser("fit", help="search for the recipe with which a model fits")
    fit.add_argument("model", type=_word, metavar="MODEL", help="its name in the budget file")
    fit.add_argument("--budget", type=_path, required=True, metavar="FILE", help="a budget file")
    fit.add_argument("-o", "--output", type=_path, metavar="FILE", help="the artifact")
    fit.add_argument(
        "--objective", choices=OBJECTIVES, help="what to be best at; default: the least harm"
    )
    fit.add_argument("--max-trials", type=int, metavar="N", help="so many candidates at most")
    fit.add_argument("--max-time", type=_word, metavar="TIME", help='such as "10 min"')
    fit.add_argument("--no-train", action="store_true", help="no pass that trains")
    fit.add_argument(
        "--cluster", type=_word, metavar="ADDRESS",
        help="let workers of dask.distributed build and measure: tcp://host:8786",
    )  # fmt: skip
    fit.add_argument("--workers", type=int, metavar="N", help="let so many processes do so")
    fit.add_argument("--plot", type=_path, metavar="FILE", help="the candidates, as .svg or .png")
    fit.add_argument("--format", choices=["text", "json"], default="text", help="what is printed")
    fit.set_defaults(command=_fit)


def _add_explain(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    explain = commands.add_parser(
        "explain", help="what a model costs by layer; what a metric, rule, recipe or profile is"
    )
    explain.add_argument("name", type=_word, metavar="MODEL|METRIC|RULE|RECIPE|PROFILE")
    explain.add_argument(
        "--profile", help="whose memory plan and time; edgebudget devices lists them"
    )
    explain.add_argument(
        "--format", choices=["text", "json"], default="text", help="what is printed"
    )
    explain.add_argument(
        "--plot", type=_path, metavar="FILE", help="draw the memory map, as .svg or .png"
    )
    explain.set_defaults(command=_explain)


def _add_lint(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    lint = commands.add_parser("lint", help="what is wrong with models and budget files")
    lint.add_argument(
        "paths", nargs="+", type=_path, metavar="PATH", help="models, budget files, or folders"
    )
    lint.add_argument("--profile", help="the device; a budget file names its own")
    lint.add_argument(
        "--select", action="append", default=[], metavar="CODES",
        help="only these, such as EB2,EB301",
    )  # fmt: skip
    lint.add_argument("--ignore", action="append", default=[], metavar="CODES", help="not these")
    lint.add_argument(
        "--format", choices=["text", "json", "sarif", "github"], default="text",
        help="what is printed",
    )  # fmt: skip
    lint.set_defaults(command=_lint)


def _add_devices(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    devices = commands.add_parser(
        "devices", help="device profiles, and what can be measured on each here and now"
    )
    devices.add_argument(
        "words",
        nargs="*",
        type=_word,
        metavar="NAME",
        help="a profile in full; install NAME and uninstall NAME: what its emulation needs",
    )
    devices.add_argument("--format", choices=["text", "json"], default="text")
    devices.set_defaults(command=_devices)


def _add_doctor(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    doctor = commands.add_parser("doctor", help="what is missing, and the commands that bring it")
    doctor.add_argument("budgets", nargs="*", type=_path, metavar="BUDGET", help="budget files")
    doctor.add_argument("--profile", default="host", help="the device to look at")
    doctor.add_argument("--run", type=_word, metavar="URL", help="a board: ssh://user@host")
    doctor.add_argument("--python", type=_word, help="the interpreter on the board")
    doctor.add_argument(
        "--noise", action="store_true",
        help="time the budgets' models beside themselves: the least regression that can be told",
    )  # fmt: skip
    doctor.set_defaults(command=_doctor)


def _add_calibrate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    calibrate = commands.add_parser(
        "calibrate", help="measure a board's own costs, and write a profile that estimates by them"
    )
    calibrate.add_argument("--run", type=_word, default="host", help="host, ssh://user@host")
    calibrate.add_argument("--name", type=_word, default="our-board", help="of the new profile")
    calibrate.add_argument("--out", type=_path, metavar="FILE", help="default: NAME.toml")
    calibrate.add_argument("--profile", type=_word, default="host", help="whose facts it takes")
    calibrate.add_argument("--runtime", type=_word, help="default: the profile's for .tflite")
    calibrate.add_argument("--python", type=_word, help="the interpreter on the board")
    calibrate.add_argument(
        "--threads", type=int, nargs="+", default=[1], choices=range(1, 65), metavar="N",
        help="each number of them is calibrated",
    )  # fmt: skip
    calibrate.add_argument("--seconds", type=float, default=150.0, help="default: 150, in all")
    calibrate.add_argument(
        "--model", action="append", default=[], type=_path, metavar="FILE",
        help="a .tflite to test it on, beside the built-in ones; repeatable",
    )  # fmt: skip
    calibrate.add_argument(
        "--force", action="store_true",
        help="overwrite the file; take a busy or throttled board, with a wider band",
    )  # fmt: skip
    calibrate.add_argument(
        "--energy-command", type=_word, metavar="PROGRAM",
        help="on the board: prints joules of a counter, or watts now; default: its own sensor",
    )  # fmt: skip
    calibrate.add_argument(
        "--from-published", type=_word, metavar="PROFILE",
        help="fit the shipped rows of a built-in profile again, and compare",
    )  # fmt: skip
    calibrate.set_defaults(command=_calibrate)


def _add_cache(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    cache = commands.add_parser("cache", help="the cache of artifacts and readings")
    cache.add_argument("action", choices=["info", "clear"])
    cache.set_defaults(command=_cache)


def _check(options: argparse.Namespace) -> int:
    from pytest_edgebudget.check import check

    return check(options)


def _init(options: argparse.Namespace) -> int:
    from pytest_edgebudget.init import write_first_budget

    print(
        write_first_budget(
            options.models,
            data=options.data,
            profile=options.profile,
            output=options.output or Path("budgets", f"{options.profile}.toml"),
            root=find_root(),
        )
    )
    return KEPT


def _fit(options: argparse.Namespace) -> int:
    from pytest_edgebudget.pareto.command import choices, fit
    from pytest_edgebudget.session import GateSession
    from pytest_edgebudget.wiring import command_line_manager, registry_of

    manager = command_line_manager()
    session = GateSession(
        root=find_root(),
        registry=registry_of(manager),
        choices=choices(options),
        executor=lambda: manager.hook.pytest_edgebudget_executor(),
    )
    text, kept = fit(options, session, _tell)
    print(text, end="")
    return KEPT if kept else BROKEN


def _lint(options: argparse.Namespace) -> int:
    from pytest_edgebudget.lint.command import lint

    text, code = lint(options)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # names of files may be of any bytes
    print(text, end="")
    return code


def _explain(options: argparse.Namespace) -> int:
    from pytest_edgebudget.explain.command import explain

    print(explain(options), end="")
    return KEPT


def _devices(options: argparse.Namespace) -> int:
    from pytest_edgebudget.catalogue.command import devices

    say = _say if sys.stderr.isatty() else _tell
    print(devices(options.words, as_json=options.format == "json", say=say), end="")
    return KEPT


def _doctor(options: argparse.Namespace) -> int:
    if options.noise:
        return _noise(options)
    from pytest_edgebudget.catalogue.doctor import doctor

    text, well = doctor(
        options.budgets,
        profile=options.profile,
        run=options.run,
        python=options.python,
        root=find_root(),
    )
    print(text, end="")
    return KEPT if well else INFRASTRUCTURE


def _noise(options: argparse.Namespace) -> int:
    from pytest_edgebudget.catalogue.noise import noise

    say = _say if sys.stderr.isatty() else lambda text: None
    text, well = noise(options.budgets, root=find_root(), say=say)
    print(text, end="")
    return KEPT if well else INFRASTRUCTURE


def _calibrate(options: argparse.Namespace) -> int:
    if options.from_published:
        from pytest_edgebudget.calibrate.published import from_published

        text, equal = from_published(options.from_published, _tell)
        print(text, end="")
        return KEPT if equal else BROKEN
    from pytest_edgebudget.calibrate.command import asked_of, calibrate
    from pytest_edgebudget.calibrate.progress import now_and_then

    say = _say if sys.stderr.isatty() else now_and_then(_tell)
    print(calibrate(asked_of(options), say), end="")
    return KEPT


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _say(text: str) -> None:
    print(f"\r{text[:79]:79}\r", end="", file=sys.stderr, flush=True)


def _cache(options: argparse.Namespace) -> int:
    from pytest_edgebudget.settings import read_settings
    from pytest_edgebudget.store import Store
    from pytest_edgebudget.types import Unit
    from pytest_edgebudget.units import format_value

    settings = read_settings(find_root())
    store = Store(settings.cache, settings.cache_limit)
    info = store.info()
    if options.action == "clear":
        store.clear()
    size, limit = (format_value(n, Unit.BYTES) for n in (info.bytes, info.limit))
    verb = "removed " if options.action == "clear" else ""
    print(f"{settings.cache}: {verb}{info.entries} entries, {size} (limit {limit})")
    return KEPT


def find_root() -> Path:
    """The nearest folder upwards with a pyproject.toml, else the current one."""
    here = Path.cwd()
    return next((f for f in (here, *here.parents) if (f / "pyproject.toml").is_file()), here)
