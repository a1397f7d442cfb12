"""A job in parts that many machines do: dealt once, each attempt logged on shared storage, merged."""
