"""Assessment: facts rebuilt from events, indicators, schemes, scores and what stands behind them."""
