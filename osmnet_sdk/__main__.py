"""The command `osmnet`, also as python -m osmnet_sdk."""


def main() -> None:
    """Run the command line; signals end it in good order, from the first moment on."""
    import os  # Python itself has it loaded

    try:
        from osmnet_sdk.stopping import exit_on_signals, stopped_by_signals

        exit_on_signals()
    except KeyboardInterrupt:
        os._exit(130)
    from osmnet_sdk.cli import main as command_line

    with stopped_by_signals():
        command_line()


if __name__ == "__main__":
    main()
