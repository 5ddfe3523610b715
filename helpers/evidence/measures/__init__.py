"""The measure of each claim, by stage of the network."""
