"""python -m train: fit, add, optimize, evaluate, compare, throughput, export, tesserae."""

from importlib.util import find_spec

import click

from livestyle.cli.group import Group

if missing := [name for name in ("matplotlib", "torch") if find_spec(name) is None]:
    raise SystemExit(f"training needs {' and '.join(missing)}: pip install -e '.[train]'")

from train.commands.add import add_command
from train.commands.compare import compare_command
from train.commands.evaluate import evaluate_command
from train.commands.export import export_command
from train.commands.fit import fit_command
from train.commands.optimize import optimize_command
from train.commands.throughput import throughput_command
from train.tesserae import tesserae


@click.group(cls=Group, context_settings={"show_default": True})
def main() -> None:
    """Train livestyle's networks."""


for command in (
    fit_command,
    add_command,
    optimize_command,
    evaluate_command,
    compare_command,
    throughput_command,
    export_command,
    tesserae,
):
    main.add_command(command)

if __name__ == "__main__":
    main()
