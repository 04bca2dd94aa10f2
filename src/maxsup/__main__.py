import sys


def main() -> int:
    """Run the command line, or say what it needs."""
    try:
        from maxsup import commands
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("maxsup"):
            raise
        print(
            f"maxsup: the commands need {error.name}, which is not installed: "
            'pip install "maxsup[lab]" brings it.',
            file=sys.stderr,
        )
        return 2
    return commands.main()


if __name__ == "__main__":
    sys.exit(main())
