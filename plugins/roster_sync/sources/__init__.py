"""Where rosters come from: Clever, OneRoster over REST, OneRoster as CSV files; one shape for all."""
