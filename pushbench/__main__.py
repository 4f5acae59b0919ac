"""The entry of `pushbench` and of `python -m pushbench`.

It imports nothing by itself: a load process that is spawned imports its parent's main module first, and would pay for all
that only the command line needs.
"""


def main() -> None:
    """Hand over to the command line."""
    from pushbench import cli

    cli.main()


if __name__ == "__main__":
    main()
