"""What is made of an answer: readings of choices, numbers and refusals. Pure; each passes its own null responders."""
