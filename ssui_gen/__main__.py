"""`python -m ssui_gen` is the console script `ssui`."""

from ssui_gen.cli import main

if __name__ == "__main__":
    main()
