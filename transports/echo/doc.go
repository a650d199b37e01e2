// Package echo is the smallest transport that works, to be copied by whoever writes one
// for a real network, and the stand-in network of the bridge's own tests.
//
// echo.go is the transport: how people log in (login.go), what the network can do, and a
// session that sends and receives. world.go is the network itself, in memory, where a
// parrot says again what it is told; a real transport has an SDK in its place.
//
// What a transport owes the bridge, and where it is done here:
//
//   - ids in lower case, stable, unique within the kind of network
//   - an event has the same Key whether it comes live, again or from the history (World.event)
//   - events go to Sink.Deliver or Post in the network's order, and what failed is delivered again (session.run)
//   - a session that Open returns before it is connected has said State(Connecting), and says Online later
//   - after a gap, State(Online) and Resynced come before the first later event (session.run)
//   - errors have a class: Later, Relink, Refuse (World.call)
//   - a repeated Send makes no second message (session.Send)
//   - Close returns when no goroutine is left (session.Close)
package echo
