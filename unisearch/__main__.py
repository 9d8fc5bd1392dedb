"""python -m unisearch: the same as the command."""

from unisearch.cli.main import main

if __name__ == "__main__":
    main()
