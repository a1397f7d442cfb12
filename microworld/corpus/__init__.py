"""What the micro VLM is taught to say: dialogues of agents, policy and judge."""
