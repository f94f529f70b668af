//! What every value must be: a slow, obviously correct fold over the whole log. Depends on nothing of the actors.
