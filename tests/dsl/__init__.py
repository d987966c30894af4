"""The words in which tests speak: a Roster that a source sends, a World that is synced, a Database to do it in."""
