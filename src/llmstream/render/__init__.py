"""Events become bytes on a stream: the answer, JSON Lines, and what people are told beside them."""
