"""A grower's project: a folder from which a node is collected for, trained, deployed and watched."""
