"""What runs: the ASGI app, settings, authentication, the command line, worker loops, the embedded servers."""
