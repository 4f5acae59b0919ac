"""`python -m pushbench`, the same as the console script."""

from pushbench.cli import main

if __name__ == "__main__":
    main()
