"""What happened, as evidence: records, the recorder, the flight recorder and session files."""
