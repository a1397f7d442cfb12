"""Many machines at work on one job: who does which shard, what runs on a node, and Ray, its eyes."""
