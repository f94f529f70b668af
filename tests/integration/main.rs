//! featuregrid from outside: the real binary and real servers.
