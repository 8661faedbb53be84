"""python -m osmnet_sdk: the same as the command `osmnet`."""

from osmnet_sdk.cli import main

if __name__ == "__main__":
    main()
