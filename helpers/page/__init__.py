"""What chapters show: sentences, tables, figures, players, cards, the map."""
