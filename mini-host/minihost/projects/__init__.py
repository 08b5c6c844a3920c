"""Projects: `flow.yaml`, what its names mean, and the plan for running one component or building the whole flow."""
