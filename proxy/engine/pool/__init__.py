"""Which worker serves which Turn.

`queue` who waits · `pool` carries out what `planning.choice` decides · `engine` the pool's face, and negotiation with a
model · `upkeep` maintenance between turns.
"""
