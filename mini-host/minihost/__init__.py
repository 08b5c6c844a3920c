"""The mini-host: finds, checks and runs plugins made for Dataiku DSS, each component in a process of its own."""
