"""What a runner executes: claim a run, plan, check, apply, report. Knows the portal only by HTTP."""
