"""Several processes for one component: each takes a shard of the input folder, and the parts are merged."""
