"""bin/demo: the whole product on one machine, its nightly runs started through the scheduler."""
