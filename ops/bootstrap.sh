# Sourced by bin/*: finds a python3, makes .venv on first use, and runs a module of ours with it from anywhere.
set -euo pipefail

roster_repository=$(cd -P -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

roster_run() {
  local candidate python='' check='import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))'
  for candidate in python3 python3.13 python3.12 python3.11 python3.10; do
    if "$candidate" -c "$check" >/dev/null 2>&1; then
      python=$candidate
      break
    fi
  done
  if [ -z "$python" ]; then
    echo "No python3 of version 3.10 to 3.13 was found on PATH: install one and run this again." >&2
    exit 1
  fi
  "$python" "$roster_repository/ops/packages.py" || exit 1
  export PYTHONPATH="$roster_repository/config:$roster_repository/plugins:$roster_repository${PYTHONPATH:+:$PYTHONPATH}"
  # not -m: that would put the caller's folder in front of ours (python -P is 3.11 and newer)
  local start='import runpy, sys
if sys.path[0] == "":
    del sys.path[0]
runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)'
  exec "$roster_repository/.venv/bin/python" -c "$start" "$@"
}
