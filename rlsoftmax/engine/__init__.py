"""The compiled loop. This file imports nothing, so that a policy file stays cheap to load."""
