"""The ``graphkd`` command."""

from __future__ import annotations

import argparse
import io
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import PurePath
from typing import NoReturn, TextIO

from graphkd import __version__
from graphkd.commands.cluster_arguments import cluster_arguments, cluster_of
from graphkd.commands.serve_arguments import serve_arguments
from graphkd.errors import GraphKDError

PARTS = (
    *("datasets", "teachers", "students", "encoders", "methods", "matching", "transforms"),
    *("calibration", "balance", "terms", "influence", "tasks", "callbacks", "decoders"),
)
EXPORTS = ("onnx", "onnx-int8", "c", "torch-export", "triton")
RUNTIMES = ("torch", "numpy", "onnx", "onnx-int8", "native", "native-int8")


def main(argv: Sequence[str] | None = None) -> int:
    """Runs a command and returns its exit status: 2 for an error that a user can correct, 130 if interrupted."""
    args = list(sys.argv[1:] if argv is None else argv)
    _prepare_output()
    debug = "--debug" in args or os.environ.get("HYDRA_FULL_ERROR", "0") not in ("", "0")
    args = [arg for arg in args if arg != "--debug"]
    try:
        if args[:1] in (["distill"], ["influence"], ["tune"]):
            _run_composed(*args)
        else:
            return _run(command_parser().parse_args(args))
    except GraphKDError as error:
        if debug:
            raise
        print(f"graphkd: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:  # graphkd without its dependencies, as on a machine for inference only
        if debug or not error.name or error.name.startswith("graphkd"):
            raise
        print(
            f"graphkd: {args[0]} needs {error.name}, which is not installed: install graphkd without --no-deps",
            file=sys.stderr,
        )
        return 2
    except BrokenPipeError:  # the reader, such as head, has closed the pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:  # such as a full disk, or a folder without write permission
        if debug:
            raise
        print(
            f"graphkd: {error.filename or 'a file'}: {error.strerror or error}: choose another place",
            file=sys.stderr,
        )
        return 2
    except KeyboardInterrupt:
        again = args[:1] in (["distill"], ["tune"]) or (args[:1] == ["predict"] and "-" not in args)
        hint = "; the same command goes on where it stopped" if again else ""
        print(f"graphkd: interrupted{hint}", file=sys.stderr)
        return 130
    return 0


def _prepare_output() -> None:
    """Prints warnings as one line, and a question mark for characters that the console cannot encode (±)."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    warnings.showwarning = _show_warning


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    """Prints a warning as one line, as for errors; warnings of other packages for developers are omitted."""
    if category is UserWarning and not _package_of(filename).startswith("torch"):
        print(f"graphkd: warning: {message}", file=sys.stderr)


def _package_of(filename: str) -> str:
    """Returns the installed package of a file, or an empty string; parent folders may have any name."""
    parts = PurePath(filename).parts
    roots = [at for at, part in enumerate(parts[:-1]) if part in ("site-packages", "dist-packages")]
    return parts[roots[-1] + 1] if roots else ""


def _run_composed(command: str, *args: str) -> None:
    """Runs a command whose arguments are keys of a config."""
    if command == "distill":
        from graphkd.commands.distill import distill

        distill(list(args))
    elif command == "tune":
        from graphkd.commands.tune import run_tune

        run_tune(list(args))
    else:
        from graphkd.commands.influence import influence

        influence(list(args))


def _run(args: argparse.Namespace) -> int:
    if args.command == "list":
        from graphkd.commands.list import list_parts

        list_parts(args.what)
    elif args.command == "evaluate":
        from graphkd.commands.evaluate import evaluate

        evaluate(args.run, args.data_dir, args.output)
    elif args.command == "predict":
        from graphkd.commands.predict import predict

        given = args.run, args.input, args.output, args.data_dir, args.runtime, args.rejects, args.id, args.header
        predict(*given, args.probabilities, args.format, args.top_k, cluster_of(args))
    elif args.command == "report":
        from graphkd.commands.report import report

        report(args.runs, args.output_dir, args.html, args.latex)
    elif args.command == "angles":
        from graphkd.commands.angles import angles

        angles(args.run, args.data_dir)
    elif args.command == "doctor":
        from graphkd.commands.doctor import doctor

        return 0 if doctor(args.data_dir, args.cache_dir) else 2
    else:
        _run_deploy(args)
    return 0


def _run_deploy(args: argparse.Namespace) -> None:
    """Runs a command that deploys a student."""
    if args.command == "export":
        from graphkd.commands.export import export

        export(args.run, args.to, args.allow_loss, args.data_dir)
    elif args.command == "bench":
        from graphkd.commands.bench import bench

        bench(args.run, args.json, args.plot, args.threads, args.seconds, args.data_dir)
    elif args.command == "store":
        from graphkd.commands.store import store

        store(args.run, args.input, args.folder, args.data_dir)
    elif args.command == "push":
        from graphkd.commands.push import push

        push(args.run, args.repo, args.private, args.license, args.revision)
    elif args.command == "serve":
        from graphkd.commands.serve import serve

        serve(args)


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise GraphKDError(f"{message}: see graphkd --help")


def _kind(what: str) -> str:
    """Returns the kind of parts that a word names, which may be in the singular or in the plural."""
    return next((part for part in PARTS if part.removesuffix("s") == what.removesuffix("s")), what)


def command_parser() -> argparse.ArgumentParser:
    """Returns the parser of every subcommand; ``distill``, ``influence`` and ``tune`` take keys of a config."""
    parser = _Parser(prog="graphkd", description="Distil graph neural networks into MLPs.")
    parser.add_argument("--version", action="version", version=f"graphkd {__version__}")
    parser.add_argument("--debug", action="store_true", help="show tracebacks")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    commands.add_parser(
        "distill", help="train a teacher and distil it: graphkd distill [-m] key=value …", add_help=False
    )
    commands.add_parser(
        "tune", help="search the best student: graphkd tune DATASET [--minutes N] [key=value …]", add_help=False
    )
    listing = commands.add_parser("list", help="what there is to choose from, one a line, name first")
    listing.add_argument("what", choices=PARTS, type=_kind)
    evaluate = commands.add_parser("evaluate", help="score a run's bundle again and compare with its metrics")
    evaluate.add_argument("run", metavar="RUN", help="folder made by graphkd distill")
    evaluate.add_argument("--output", metavar="FOLDER", help="where to write the same as CSV files and plots")
    predict = commands.add_parser("predict", help="classes of rows, by a run's bundle")
    predict.add_argument(
        "run", metavar="RUN", help="folder made by graphkd distill, its bundle, or hf://OWNER/NAME"
    )
    predict.add_argument(
        "input",
        metavar="INPUT",
        help="rows as .parquet, .csv, .tsv, .jsonl (also .csv.gz and so on), .npy or .npz; a folder of such "
        "files; - for standard input; or the word graph: the run's own",
    )
    predict.add_argument(
        "output",
        metavar="OUTPUT",
        help="classes and probabilities as .parquet or .csv, or probabilities as .npy; of a folder a folder with "
        "such files, named likewise: OUT.parquet",
    )
    predict.add_argument("--runtime", choices=RUNTIMES, help="that scores; by default the fastest there is")
    predict.add_argument(
        "--rejects", metavar="FILE", help="a .csv for rows that cannot be scored; else the first one is an error"
    )
    predict.add_argument(
        "--no-header", dest="header", action="store_false", help="a .csv has no line of names: columns by position"
    )
    predict.add_argument(
        "--format", choices=("csv", "tsv", "jsonl"), help="of standard input (-), which is csv by default"
    )
    predict.add_argument("--id", metavar="COLUMN", help="to carry over; by default id, if it is there")
    predict.add_argument(
        "--probabilities",
        action="store_true",
        help="also write every class's, a column p_NAME each, to a .csv, as a .parquet has them in any case",
    )
    predict.add_argument(
        "--top-k",
        metavar="K",
        type=int,
        help="of a run of links, with the word graph: the likeliest new partners of every node; 10 by default. "
        "Otherwise INPUT has columns source and target",
    )
    cluster_arguments(predict)
    export = commands.add_parser(
        "export", help="a run's student as ONNX or C, beside its bundle, checked on real rows"
    )
    export.add_argument("run", metavar="RUN", help="folder made by graphkd distill")
    export.add_argument("--to", required=True, choices=EXPORTS)
    export.add_argument("--allow-loss", action="store_true", help="write it even where it is not the same model")
    bench = commands.add_parser("bench", help="a run's student in every runtime against its own teacher, timed")
    bench.add_argument("run", metavar="RUN", help="folder made by graphkd distill")
    bench.add_argument("--json", metavar="FILE", help="where to write all numbers, with a plot beside it")
    bench.add_argument("--plot", metavar="FILE", help="where to write the plot, a .png")
    bench.add_argument("--threads", metavar="N", type=int, default=1, help="of torch and BLAS; 1 by default")
    bench.add_argument(
        "--seconds", metavar="S", type=float, default=1.0, help="to time each model for, per batch; 1 by default"
    )
    store = commands.add_parser("store", help="a graph's rows on disk, for a run's student to answer by node id")
    store.add_argument("run", metavar="RUN", help="folder made by graphkd distill, its bundle, or hf://OWNER/NAME")
    store.add_argument(
        "input", metavar="INPUT", help="the word graph: the run's own, or an .npz with x and edge_index"
    )
    store.add_argument("folder", metavar="DIR", help="to make, for graphkd serve --store and FeatureStore")
    serve_arguments(commands.add_parser("serve", help="a run's student behind HTTP, with a page to try it"))
    push = commands.add_parser("push", help="a run's bundle and its model card to the Hugging Face hub")
    push.add_argument("run", metavar="RUN", help="folder made by graphkd distill, or its bundle")
    push.add_argument("repo", metavar="OWNER/NAME", help="repository, which is made if it is not there")
    push.add_argument("--private", action="store_true", help="make a private one")
    push.add_argument("--license", metavar="ID", help="for the model card, such as mit")
    push.add_argument("--revision", metavar="BRANCH", help="made if it is not there; main by default")
    report = commands.add_parser("report", help="a table over any runs: means, spreads, paired differences")
    report.add_argument("runs", metavar="RUN", nargs="+", help="folder of a run, or a folder with runs in it")
    report.add_argument(
        "--output-dir", help="where to write report.md, report.csv, report_seeds.csv and report.png"
    )
    report.add_argument(
        "--html",
        metavar="FILE",
        help="where to write one page with the tables, learning curves, metrics of every class, latency (from "
        "bench.json in the run's folder) and settings",
    )
    report.add_argument("--latex", metavar="FILE", help="where to write the tables for LaTeX's booktabs")
    angles = commands.add_parser(
        "angles", help="angles between teacher layers, seen from a run's student, before and after training"
    )
    angles.add_argument("run", metavar="RUN", help="folder made by graphkd distill")
    commands.add_parser(
        "influence",
        help="what an influence measures on a data set: graphkd influence DATASET [key=value …]",
        add_help=False,
    )
    doctor = commands.add_parser("doctor", help="what works here, what is missing, and how to get it")
    doctor.add_argument("--data-dir", default="data", help="where data sets are looked for; data by default")
    doctor.add_argument("--cache-dir", help="the cache folder, if it is not the default one")
    for command in (evaluate, predict, export, bench, store, angles):
        command.add_argument("--data-dir", help="where the run's data is now, if it has moved")
    return parser
