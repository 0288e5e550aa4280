"""`python -m devicectl.monitor.line`: the process that passes bytes on, as `devicectl monitor` starts it."""

from devicectl.monitor.line.passing import main

if __name__ == "__main__":
    main()
