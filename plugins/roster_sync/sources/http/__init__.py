"""What every source over HTTP needs: a session with retries, authentication, paging over JSON."""
