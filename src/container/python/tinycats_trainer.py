"""Entry of the Python trainer: does the enter hook, then one run after the other, as the supervisor says."""

if __name__ == "__main__":
    from tinycats._container.main import main

    main()
