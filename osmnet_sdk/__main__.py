"""The command `osmnet`, also as python -m osmnet_sdk."""


def main() -> None:
    """Run the command line; signals end it in good order, from the first moment on."""
    import os  # Python itself has it loaded

    try:
        from osmnet_sdk.core.stopping import exit_on_signals, stopped_by_signals

        exit_on_signals()
    except KeyboardInterrupt:
        os._exit(130)
    try:
        from osmnet_sdk.cli.application import main as command_line
    except Exception as error:  # whatever a damaged package raises
        import sys

        from osmnet_sdk.cli.diagnosis import without_command_line

        raise SystemExit(without_command_line(sys.argv[1:], error)) from None

    with stopped_by_signals():
        command_line()


if __name__ == "__main__":
    main()
