-- Who changed which setting is kept for good: whoever may add to it can neither rewrite nor take back what stands there.
revoke update on sync.settings_history from roster_edit, roster_reset, roster_undo, roster_desk;
