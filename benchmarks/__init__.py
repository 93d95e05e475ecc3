"""What Rollcall costs: time, bytes and capacity units, measured side by side. Never passes or fails."""
