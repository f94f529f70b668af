//! The node: the only floor that touches Kafka, object stores, sockets, disks and clocks.
