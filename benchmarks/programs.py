"""Program: a program that is run as a whole process, with what it takes: wall, CPU, memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Program:
    """One program in one job."""

    name: str
    commands: list[list[str]]
    environment: dict[str, str] = field(default_factory=dict)
    outputs: list[str] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: list[float] = field(default_factory=list)

    def run(self) -> None:
        """Run the commands one after the other; note wall s, CPU s, peak MB."""
        wall = cpu = memory = 0.0
        environment = {**os.environ, **self.environment}
        # As on a user's machine, where modules are compiled once and not by every process.
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        for output in self.outputs:
            Path(output).unlink(missing_ok=True)
        for command in self.commands:
            with tempfile.TemporaryFile() as log:
                start = time.perf_counter()
                process = subprocess.Popen(command, stdout=log, stderr=log, env=environment)
                peak = _Peak(process.pid)
                _, status, used = os.wait4(process.pid, 0)
                wall += time.perf_counter() - start
                process.returncode = os.waitstatus_to_exitcode(status)
                if process.returncode:
                    log.seek(0)
                    sys.exit(f"{command} failed:\n{log.read().decode()}")
            cpu += used.ru_utime + used.ru_stime
            memory = max(memory, peak.stop())
        self.wall.append(wall)
        self.cpu.append(cpu)
        self.memory.append(memory)


class _Peak(threading.Thread):
    """Largest resident memory of a process; its ru_maxrss would count the parent's before exec."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.status = Path(f"/proc/{pid}/status")
        self.megabytes = 0.0
        self.running = True
        self.start()

    def run(self) -> None:
        while self.running:
            try:
                lines = self.status.read_text().splitlines()
            except OSError:
                return
            for line in lines:
                if line.startswith("VmHWM"):
                    self.megabytes = int(line.split()[1]) / 1024
            time.sleep(0.02)

    def stop(self) -> float:
        """The peak in MB."""
        self.running = False
        self.join()
        return self.megabytes
