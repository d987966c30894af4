# Sourced by bin/*: finds a python3 and runs launcher.py, which makes .venv on first use and runs our module in it.
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
  exec "$python" "$roster_repository/ops/launcher.py" "$@"
}
