"""The layers, the original graph, the compact network, the exact decomposition."""
