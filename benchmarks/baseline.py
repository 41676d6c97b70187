"""`python -m benchmarks.baseline plain|counter PORT`: what is compared with, served as `vacancy serve` serves."""

import sys
from typing import Final

import uvicorn

DATABASE_VARIABLE: Final = "BENCHMARK_DATABASE_URL"
POOL_SIZE: Final = 8  # as VACANCY_DATABASE_POOL_SIZE is by default


def main() -> None:
    """Serve until SIGTERM."""
    name, port = sys.argv[1:]
    uvicorn.run(
        f"benchmarks.{name}:app",
        port=int(port),
        loop="uvloop",
        http="httptools",
        lifespan="on",
        log_level="error",
        access_log=False,
        server_header=False,
    )


if __name__ == "__main__":
    main()
