import sys

from maxsup._lab import lab_is_needed


def main() -> int:
    """Run the command line, or say what it needs."""
    try:
        from maxsup import commands
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("maxsup"):
            raise
        print(f"maxsup: {lab_is_needed('the commands need', error)}", file=sys.stderr)
        return 2
    return commands.main()


if __name__ == "__main__":
    sys.exit(main())
