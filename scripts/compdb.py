#!/usr/bin/python3
"""compdb.py OUT COMMAND SOURCE...: compile_commands.json for editors."""
import json
import os
import sys

out, command, *sources = sys.argv[1:]
entries = [{"directory": os.getcwd(), "file": source, "command": f"{command} -c {source}"} for source in sources]
with open(out, "w") as f:
    json.dump(entries, f, indent=1)
