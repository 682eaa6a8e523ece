//! aperto on real wires: a tokio driver, UDP tunnel, TUN and the system's own sockets
